import { once } from "node:events";
import { connect } from "node:net";
import { isErrno } from "../../protocol/failures.ts";

/** Whether anybody listens at the address of a socket or named pipe. */
export async function isAnswered(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ECONNREFUSED")) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
