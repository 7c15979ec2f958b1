/** The couriers that KiriminAja names (providers/kiriminaja.md §2), as buyers know them. */
const NAMES: Readonly<Record<string, string>> = {
  anteraja: "AnterAja",
  idx: "ID Express",
  jne: "JNE",
  jnt: "J&T Express",
  jtcargo: "J&T Cargo",
  lion: "Lion Parcel",
  ncs: "NCS",
  ninja: "Ninja Xpress",
  paxel: "Paxel",
  posindonesia: "Pos Indonesia",
  rpx: "RPX",
  sap: "SAP Express",
  sentral: "Sentral Cargo",
  sicepat: "SiCepat",
  spx: "SPX Express",
  tiki: "TIKI",
};

/** A courier's name for its code; a new courier shows its code in capitals. */
export function courierName(code: string): string {
  return NAMES[code] ?? code.toUpperCase();
}

const BY_MAP: ReadonlySet<string> = new Set(["lion", "posindonesia"]);

/** Whether a courier fetches nothing from a sender without latitude and longitude (providers/kiriminaja.md §2). */
export function fetchesByMap(code: string): boolean {
  return BY_MAP.has(code);
}
