import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

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
    relayed: new Counter({
      name: "tukar_flooded_messages_sent_total",
      help: "Copies of what is said to everyone",
      registers,
    }),
    filesOnline: new Gauge({ name: "tukar_files_online", help: "Files held of the peers on the roster", registers }),
    catalogChanges: new Counter({
      name: "tukar_catalog_changes_total",
      help: "Changes of peers' catalogs that were taken",
      registers,
    }),
    searches: new Counter({
      name: "tukar_searches_total",
      help: "Searches of members, taken or refused",
      labelNames: ["outcome"] as const,
      registers,
    }),
    searchSeconds: new Histogram({
      name: "tukar_search_seconds",
      help: "How long searches took the catalog",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2],
      registers,
    }),
    /** The page that `GET /metrics` answers with, and its media type. */
    page: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
