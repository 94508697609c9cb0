import type { Node } from "./nodes.ts";

/** Of the neighbours that one looks for so many are to be among those known longest, the others are left to chance. */
const STABLE_WANTED = 2;
const STABLE_AMONG = 10;

/**
 * Whom to link with next: somebody known for long, since such a peer is likely to stay; beyond two of those anybody, so that the mesh does
 * not fall into parts.
 * @param candidates those who may be dialled now, neighbours not among them
 * @param neighbours those linked already
 * @param random from 0 up to, but not including, 1
 */
export function chooseNeighbour(
  candidates: readonly Node[],
  neighbours: readonly Node[],
  random: () => number,
): Node | undefined {
  const oldest = new Set([...candidates, ...neighbours].toSorted((a, b) => a.since - b.since).slice(0, STABLE_AMONG));
  const stable = neighbours.filter((node) => oldest.has(node)).length;
  const old = candidates.filter((node) => oldest.has(node));
  const among = stable < STABLE_WANTED && old.length > 0 ? old : candidates;
  return among[Math.floor(random() * among.length)];
}
