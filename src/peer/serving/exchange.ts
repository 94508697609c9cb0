import type { Clock } from "../../transport/clock.ts";
import { createFollowers, type Followers } from "./followers.ts";
import { createSendingTurns, type SendingTurns } from "./sending-turns.ts";
import { createUnfinishedContents, type UnfinishedContents } from "./unfinished-contents.ts";

/** What makes those that fetch one content help each other: who they are, what they have, whose turn it is. */
export type Exchange = {
  readonly followers: Followers;
  readonly unfinished: UnfinishedContents;
  readonly turns: SendingTurns;
};

export function createExchange(clock: Clock): Exchange {
  const followers = createFollowers(clock);
  return { followers, unfinished: createUnfinishedContents(followers, clock), turns: createSendingTurns(clock) };
}
