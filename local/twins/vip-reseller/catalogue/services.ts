export type Family = "prepaid" | "game-feature" | "social-media";

export interface Price {
  basic: number;
  premium: number;
  special: number;
}

interface Common {
  /** What an order names; a text of digits for social media. */
  code: string;
  name: string;
  /** Rupiah; social media: for 1,000 pieces. */
  price: Price;
  status: "available" | "empty";
  /** Null where nothing is counted. */
  stock: number | null;
}

export interface PrepaidService extends Common {
  family: "prepaid";
  brand: string;
  note: string;
  multiTrx: boolean;
  maintenance: string;
  category: string;
  type: string;
}

export interface GameService extends Common {
  family: "game-feature";
  game: string;
  server: number;
  needsZone: boolean;
  /** Rank boosting: a package is bought once, stars by three or more. */
  boost: "package" | "star" | null;
  description: string;
  /** Its `note` on success is a code to hand over, not a serial number. */
  voucher: boolean;
}

export interface SocialService extends Common {
  family: "social-media";
  category: string;
  min: number;
  max: number;
  note: string;
}

export type Service = PrepaidService | GameService | SocialService;

/** The three prices of a service from what the best customers pay. */
export function priced(special: number): Price {
  return {
    basic: Math.ceil(special * 1.04),
    premium: Math.ceil(special * 1.02),
    special,
  };
}
