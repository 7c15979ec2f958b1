import type { Channel } from "./channels.ts";

/**
 * Codes of `/transaction` (ipaymu.md section 3). Notices know 1, 0 and -2 alone, besides the raw code.
 */
export const codes = {
  expired: -2,
  pending: 0,
  success: 1,
  cancelled: 2,
  refunded: 3,
  error: 4,
  failed: 5,
  unsettled: 6,
  escrow: 7,
} as const;
export type Code = (typeof codes)[keyof typeof codes];

export function isPaid(code: Code): boolean {
  return code === codes.success || code === codes.unsettled || code === codes.escrow;
}

export interface Transaction {
  id: number;
  session: Session;
  channel: Channel;
  code: Code;
  subTotal: number;
  fee: number;
  /** What the buyer pays; a hand may make it differ from what was asked. */
  total: number;
  paymentNo: string;
  qrText: string;
  createdAt: number;
  expiresAt: number;
  paidAt: number | null;
  settledAt: number | null;
  cancelTimer: () => void;
}

export interface Session {
  sid: string;
  /** Not unique: a repeated reference is another payment. */
  referenceId: string | null;
  price: number;
  products: string[];
  /** The request as it came, so that a dial's `match` may name anything in it. */
  text: string;
  notifyUrl: string;
  returnUrl: string;
  cancelUrl: string;
  buyer: { name: string; email: string; phone: string };
  feeDirection: "BUYER" | "MERCHANT";
  comments: string;
  escrow: boolean;
  /** The one group of channels offered, or null for all. */
  method: string | null;
  /** How long the merchant lets a payment wait. */
  lifeMs: number;
  createdAt: number;
  transaction: Transaction | null;
}

export interface IpaymuState {
  /** By SessionID, in order of creation. */
  sessions: Map<string, Session>;
  transactions: Map<number, Transaction>;
}
