import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { isObject, parseJson } from "../common/fields.ts";
import type { Panel } from "./engine.ts";

const saveAfterMs = 200;

/** The tables that outlive a start; lock-outs, the queue and the journal do not. */
const kept = ["sites", "ftps", "databases", "backups", "issued"] as const;

/**
 * Keeps what the panel knows in a file beside its disk: the database of `npm run dev` outlives a start, and would
 * otherwise know sites that the panel has forgotten.
 */
export class Shelf {
  private readonly panel: Panel;
  private readonly file: string;
  private waiting = false;

  constructor(panel: Panel, file: string) {
    this.panel = panel;
    this.file = file;
  }

  /** Takes up what an earlier run left; a file that is not there, or broken, leaves the panel empty. */
  load(): void {
    const { panel } = this;
    let saved: unknown;
    try {
      saved = parseJson(readFileSync(this.file, "utf8"));
    } catch {
      return;
    }
    if (!isObject(saved)) return;
    for (const name of kept) {
      // Written by `save`, in this form.
      const rows = saved[name] as [never, never][] | undefined;
      for (const [id, row] of rows ?? []) panel.state[name].set(id, row);
    }
    panel.area.load(saved.modes);
    panel.takeUp(Number(saved.lastId) || 0, String(saved.lastDay));
  }

  save(): void {
    const { panel } = this;
    const tables = kept.map((name) => [name, [...panel.state[name]]]);
    const rest = { modes: panel.area.saved(), ...panel.position() };
    const next = `${this.file}.next`;
    writeFileSync(next, JSON.stringify({ ...Object.fromEntries(tables), ...rest }), {
      mode: 0o600,
    });
    renameSync(next, this.file);
  }

  /** Saves once for all that happens in a moment. */
  soon(): void {
    if (this.waiting) return;
    this.waiting = true;
    this.panel.timers.later(saveAfterMs, () => {
      this.waiting = false;
      this.save();
    });
  }
}
