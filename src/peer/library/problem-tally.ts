import { printable } from "../../protocol/untrusted-text.ts";

/** Why something in a shared folder is not offered although its owner might expect it. */
const PROBLEM_KINDS = {
  name: "cannot be shared because of its name (control characters, reserved, too long or not valid Unicode)",
  twin: "cannot be shared because another one beside it has the same name in Unicode form NFC",
  "link-outside": "is a symbolic link that leads outside of the share",
  "link-folder": "is a symbolic link to a folder, and those are not entered",
  unreadable: "cannot be read",
  "too-large": "is larger than can be shared",
} as const;

export type ProblemKind = keyof typeof PROBLEM_KINDS;

/** Paths remembered of each kind: beyond that only "at least" is known. */
const EXAMPLES_MAX = 1000;

/** Which entries of one share have which problem. An entry that is looked at again loses what it had. */
export function createProblemTally(share: string) {
  const kinds = new Map<ProblemKind, Set<string>>();

  return {
    report(kind: ProblemKind, path: string): void {
      const paths = kinds.get(kind) ?? new Set();
      if (paths.size < EXAMPLES_MAX) paths.add(path);
      kinds.set(kind, paths);
    },

    clear(path: string): void {
      for (const paths of kinds.values()) paths.delete(path);
    },

    clearBelow(folder: string): void {
      for (const paths of kinds.values()) {
        for (const path of paths) if (folder === "" || path.startsWith(`${folder}/`)) paths.delete(path);
      }
    },

    /** One sentence a kind, under a key that stays the same while the numbers change. */
    sentences(): [key: string, sentence: string][] {
      return [...kinds].flatMap(([kind, paths]) => {
        const [example] = paths;
        if (example === undefined) return [];
        const others = paths.size - 1;
        const more = others === 0 ? "" : `, and so ${others === 1 ? "is one other" : `are ${others} others`}`;
        const least = paths.size === EXAMPLES_MAX ? " or more" : "";
        return [
          [
            `${share}\0${kind}`,
            `In "${printable(share)}": "${printable(example)}" ${PROBLEM_KINDS[kind]}${more}${least}`,
          ],
        ];
      });
    },
  };
}

export type ProblemTally = ReturnType<typeof createProblemTally>;
