import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * Sees to it that an answer hears of the end of its connection. Node tells it to the one that is being sent alone; others
 * that wait behind it, since their requests came before it was through, would wait for ever.
 */
export function createQueuedAnswers(): (socket: Socket, response: ServerResponse) => void {
  const waiting = new WeakMap<Socket, Set<ServerResponse>>();

  function answersOf(socket: Socket): Set<ServerResponse> {
    const known = waiting.get(socket);
    if (known) return known;
    const answers = new Set<ServerResponse>();
    waiting.set(socket, answers);
    socket.once("close", () => {
      for (const answer of answers) {
        if (answer.socket !== null) continue;
        answer.destroy();
        answer.emit("close");
      }
    });
    return answers;
  }

  return (socket, response) => {
    const answers = answersOf(socket);
    answers.add(response);
    response.once("close", () => answers.delete(response));
  };
}
