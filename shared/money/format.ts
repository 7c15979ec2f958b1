/** Whole rupiah as Indonesians write them: "Rp 10.000", "-Rp 2.500". */
export function formatRupiah(amount: number): string {
  const digits = String(Math.abs(Math.trunc(amount))).replace(/\B(?=(\d{3})+$)/g, ".");
  return `${amount < 0 ? "-" : ""}Rp ${digits}`;
}
