import { grown, roomFor } from "./columns.ts";

/** A set of numbers from 0 on that is emptied at no cost: a number is in it if it was marked since. */
export function createMarks() {
  let markedIn = new Uint32Array(1024);
  let round = 1;
  return {
    has: (number: number): boolean => markedIn[number] === round,
    add(number: number): void {
      if (number >= markedIn.length) markedIn = grown(markedIn, roomFor(number, markedIn.length));
      markedIn[number] = round;
    },
    clear(): void {
      round += 1;
      if (round <= 0xffff_ffff) return;
      markedIn.fill(0);
      round = 1;
    },
  };
}
