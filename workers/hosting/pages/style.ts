/** One sheet for the few pages of hosting: readable on a phone, black on white on paper. */
export const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #eef1f4; color: #1c2430; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 760px; margin: 24px auto; padding: 40px 48px; background: #fff; border-radius: 10px; box-shadow: 0 1px 3px rgb(20 30 45 / 12%); }
h1 { margin: 0; font-size: 26px; letter-spacing: -0.01em; }
h2 { margin: 0 0 4px; font-size: 12px; font-weight: 600; letter-spacing: 0.06em; text-transform: uppercase; color: #667084; }
p { margin: 0; overflow-wrap: anywhere; }
.top { display: flex; justify-content: space-between; gap: 24px; align-items: flex-start; padding-bottom: 24px; border-bottom: 2px solid #1c2430; }
.top .seller { font-weight: 600; font-size: 18px; }
.quiet { color: #667084; }
.right { text-align: right; }
.paid { display: inline-block; margin-top: 8px; padding: 2px 12px; border: 1.5px solid #15803d; border-radius: 999px; color: #15803d; font-size: 13px; font-weight: 700; letter-spacing: 0.08em; }
.facts { display: grid; grid-template-columns: 1fr 1fr; gap: 24px; margin: 28px 0; }
table { width: 100%; border-collapse: collapse; }
th { padding: 8px 0; border-bottom: 1px solid #cfd6df; font-size: 12px; text-align: left; color: #667084; font-weight: 600; }
td { padding: 14px 0; border-bottom: 1px solid #e6eaef; vertical-align: top; }
th + th, td + td { padding-left: 16px; text-align: right; white-space: nowrap; }
td .quiet { font-size: 13px; }
.each { display: none; }
.sums { width: 320px; max-width: 100%; margin: 16px 0 0 auto; }
.sums td { padding: 6px 0; border: 0; }
.sums tr:last-child td { padding-top: 12px; border-top: 2px solid #1c2430; font-size: 18px; font-weight: 700; }
footer { margin-top: 36px; padding-top: 16px; border-top: 1px solid #e6eaef; font-size: 13px; color: #667084; }
@media (max-width: 600px) {
  main { margin: 0; padding: 24px 20px; border-radius: 0; box-shadow: none; }
  .top { flex-direction: column; gap: 16px; }
  .right { text-align: left; }
  .facts { grid-template-columns: 1fr; gap: 16px; }
  .lines thead, .lines .unit { display: none; }
  .each { display: inline; }
  .sums { width: 100%; }
}
@media print {
  body { background: #fff; font-size: 12px; }
  main { max-width: none; margin: 0; padding: 0; box-shadow: none; }
  @page { margin: 18mm; }
}
`;
