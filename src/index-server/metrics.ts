import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** What Prometheus sees. Each index server counts for itself. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    peers: new Gauge({ name: "tukar_peers", help: "Peers on the roster", registers }),
    joined: new Counter({ name: "tukar_peers_joined_total", help: "Peers that came onto the roster", registers }),
    left: new Counter({ name: "tukar_peers_left_total", help: "Peers that left the roster", registers }),
    messages: new Counter({
      name: "tukar_messages_received_total",
      help: "Messages from peers and visitors",
      labelNames: ["type"] as const,
      registers,
    }),
    rosterMessages: new Counter({ name: "tukar_roster_messages_sent_total", help: "Copies of ROSTER sent", registers }),
    /** The page that `GET /metrics` answers with, and its media type. */
    page: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
