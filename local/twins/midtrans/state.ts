export type PaymentType = "qris" | "gopay" | "bank_transfer" | "echannel";

export type TransactionStatus =
  | "pending"
  | "settlement"
  | "cancel"
  | "deny"
  | "expire"
  | "refund"
  | "partial_refund"
  | "chargeback";

export interface Refund {
  chargebackId: number;
  key: string;
  amount: number;
  reason: string;
  createdAt: number;
  confirmedAt: number | null;
}

/** How a buyer pays, as asked for in a charge or picked on the payment page. */
export interface Method {
  type: PaymentType;
  /** QRIS and GoPay. */
  acquirer: string;
  /** Virtual accounts: the bank and a number asked for. */
  bank: string;
  vaNumber: string;
}

export interface Transaction {
  id: string;
  order: Order;
  method: Method;
  /** What status and notices say; a hand may make it differ from what was asked. */
  amount: number;
  status: TransactionStatus;
  createdAt: number;
  expiresAt: number;
  settledAt: number | null;
  qrText: string;
  vaNumber: string;
  issuer: string;
  referenceId: string;
  refunds: Refund[];
  cancelTimer: () => void;
}

export interface SnapPage {
  token: string;
  expiresAt: number;
  /** Whether the merchant chose that time; else a picked method has its own default. */
  expiryGiven: boolean;
  enabledPayments: string[];
  finishUrl: string;
}

export interface Order {
  id: string;
  amount: number;
  /** The request as it came, so that a dial's `match` may name anything in it. */
  text: string;
  notifyUrls: string[];
  customFields: Record<string, string>;
  itemNames: string[];
  snap: SnapPage | null;
  /** The last is the current one: an expired order may be charged again. */
  transactions: Transaction[];
}

export interface MidtransState {
  orders: Map<string, Order>;
  transactions: Map<string, Transaction>;
  tokens: Map<string, Order>;
}

export function current(order: Order): Transaction | undefined {
  return order.transactions.at(-1);
}
