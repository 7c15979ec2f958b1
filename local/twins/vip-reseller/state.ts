import type { Family, Price, Service } from "./catalogue/services.ts";

export type OrderStatus = "waiting" | "processing" | "success" | "error" | "partial";

export function isFinal(status: OrderStatus): boolean {
  return status === "success" || status === "error" || status === "partial";
}

export interface Order {
  trxid: string;
  family: Family;
  service: Service;
  target: string;
  zone: string;
  additional: string;
  quantity: number;
  price: number;
  status: OrderStatus;
  /** The serial number, the code, or the reason of an error. */
  note: string;
  /** Social media: what is not delivered, and what the target had before. */
  remain: number;
  count: number;
  createdAt: number;
  /** The fields as they came, so that a dial's `match` may name anything in them. */
  text: string;
  cancelTimer: () => void;
}

export interface Account {
  apiId: string;
  apiKey: string;
  fullName: string;
  username: string;
  balance: number;
  point: number;
  level: keyof Price;
  registered: string;
  /** The addresses that may call, compared as texts. */
  whitelist: string[];
  callbackUrl: string;
}

export interface VipState {
  account: Account;
  services: Map<Family, Map<string, Service>>;
  /** By trxid, in order of creation. */
  orders: Map<string, Order>;
}
