import { DurableObject } from "cloudflare:workers";
import { loadConfig } from "../../shared/config/config.ts";
import type { Gate, Lane, Turn } from "../../shared/providers/vip-reseller.ts";
import { takeTurn } from "./pacing.ts";

const NEXT = "next";
const READS = "reads";

/**
 * The one gate to the supplier, for all isolates. The next free moment lies in storage, so that an eviction neither
 * forgets what was handed out nor lets two requests leave together.
 */
export class SupplierGate extends DurableObject<Env> implements Gate {
  async take(lane: Lane, spareMs = 0, longestMs?: number): Promise<Turn> {
    const { kv } = this.ctx.storage;
    return takeTurn(
      {
        intervalMs: loadConfig(this.env).VIP_RESELLER_PACE_MS,
        now: () => Date.now(),
        load: () => kv.get<number>(NEXT),
        save: (next) => kv.put(NEXT, next),
        loadReads: () => kv.get(READS),
        saveReads: (reads) => kv.put(READS, reads),
      },
      lane,
      spareMs,
      longestMs,
    );
  }
}
