/** A target as two systems would both write it; as SQL function `topup_plain_target`. */
export function plainTarget(target: string): string {
  return /^\+?[\d .-]+$/.test(target)
    ? target.replace(/\D/g, "").replace(/^(62|0+)/, "")
    : target.trim().toLowerCase();
}
