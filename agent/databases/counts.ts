import { z } from "zod";
import type { AgentCtx } from "../ctx.ts";
import { withDatabase } from "./connection.ts";

export interface TableCount {
  table: string;
  rows: number;
  /** The server's CHECKSUM TABLE over every row; null for a table without one. */
  checksum: number | null;
}

/** Rows and checksum of every table of a database (no views), by name: equal in two databases of equal contents. */
export async function countRows(
  ctx: Pick<AgentCtx, "settings" | "signal">,
  database: string,
): Promise<TableCount[]> {
  return withDatabase(
    ctx,
    async (session) => {
      const sql = `SELECT TABLE_NAME AS name FROM information_schema.TABLES
          WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SEQUENCE') ORDER BY BINARY TABLE_NAME`;
      const tables = await session.rows(sql, z.object({ name: z.string() }));
      const counts: TableCount[] = [];
      for (const { name } of tables) {
        const [count] = await session.rowsOf(
          { before: "SELECT COUNT(*) AS n FROM ", name },
          z.object({ n: z.number() }),
        );
        const [sum] = await session.rowsOf(
          { before: "CHECKSUM TABLE ", name, after: " EXTENDED" },
          z.object({ Checksum: z.coerce.number().nullable() }),
        );
        counts.push({ table: name, rows: count?.n ?? 0, checksum: sum?.Checksum ?? null });
      }
      return counts;
    },
    { database, timeoutMs: 10 * 60_000 },
  );
}
