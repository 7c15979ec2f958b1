import { createServer } from "node:net";

/** Where each piece listens. */
export interface Ports {
  worker: number;
  midtrans: number;
  kiriminaja: number;
  resend: number;
  ipaymu: number;
  vipReseller: number;
  aapanel: number;
  shopee: number;
  lazada: number;
  tiktokShop: number;
  replicate: number;
  instagram: number;
  anthropic: number;
  postgres: number;
  endpoint: number;
}

const NAMES: Record<keyof Ports, string> = {
  worker: "the Worker",
  midtrans: "the Midtrans twin",
  kiriminaja: "the KiriminAja twin",
  resend: "the Resend twin",
  ipaymu: "the iPaymu twin",
  vipReseller: "the VIP-Reseller twin",
  aapanel: "the aaPanel twin",
  shopee: "the Shopee twin",
  lazada: "the Lazada twin",
  tiktokShop: "the TikTok Shop twin",
  replicate: "the Replicate twin",
  instagram: "the Instagram twin",
  anthropic: "the Anthropic twin",
  postgres: "PostgreSQL",
  endpoint: "the Neon endpoint",
};

/** All ports follow from the Worker's: the twins take the next, the database has ten and eleven further. */
export function portsFrom(worker: number): Ports {
  if (!Number.isInteger(worker) || worker < 1 || worker > 65_520) {
    throw new Error("--port must be a whole number from 1 to 65520");
  }
  return {
    worker,
    midtrans: worker + 1,
    kiriminaja: worker + 2,
    resend: worker + 3,
    ipaymu: worker + 4,
    vipReseller: worker + 5,
    aapanel: worker + 6,
    shopee: worker + 7,
    lazada: worker + 8,
    tiktokShop: worker + 9,
    replicate: worker + 12,
    instagram: worker + 13,
    anthropic: worker + 14,
    postgres: worker + 10,
    endpoint: worker + 11,
  };
}

/** Throws one message that names every port that another program has. */
export async function assertPortsFree(ports: Ports): Promise<void> {
  const taken: string[] = [];
  for (const piece of Object.keys(NAMES) as (keyof Ports)[]) {
    if (!(await isFree(ports[piece]))) taken.push(`port ${ports[piece]} (for ${NAMES[piece]})`);
  }
  if (taken.length === 0) return;
  const [are, them] = taken.length === 1 ? ["is", "it"] : ["are", "them"];
  throw new Error(
    `${taken.join(", ").replace(/^p/, "P")} ${are} taken by another program. ` +
      `Stop what uses ${them}, or choose others: npm run dev -- --port 8900`,
  );
}

/** Whether nothing listens there on the loopback. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
