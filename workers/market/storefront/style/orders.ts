/** Cart, checkout, payment and tracking. */
export const ORDERS = `
.lines>li{display:grid;grid-template-columns:84px minmax(0,1fr);gap:.3rem .9rem;padding:1rem 0;
border-bottom:1px solid var(--line)}
.lines>li:first-child{padding-top:0}.lines>li:last-child{border:0;padding-bottom:0}
.lines .picture{width:84px;border-radius:12px;grid-row:span 2}
.lines .name{font-weight:600;text-decoration:none;color:var(--ink)}.lines .name:hover{text-decoration:underline}
.line-tools{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:.35rem .75rem;
margin-top:.4rem}.line-tools form{display:flex;align-items:center;gap:.5rem}
.amount{font-weight:700;font-variant-numeric:tabular-nums;white-space:nowrap}
.flag{display:inline-block;font-size:.85rem;font-weight:600;color:var(--rust);margin-top:.15rem}
.flag-soft{color:var(--bark)}.line-off .picture,.line-off .amount{opacity:.5}
.sums{display:grid;grid-template-columns:1fr auto;gap:.45rem 0;font-variant-numeric:tabular-nums}
.sums dt{color:var(--muted)}.sums dd{margin:0;padding-left:1rem;text-align:right}
.sums .total{color:var(--ink);font-weight:700;font-size:1.15rem;padding-top:.7rem;border-top:1px solid var(--line);
margin-top:.3rem}.sums .less{color:var(--leaf)}
.side .button-block{margin-top:1.1rem}
.mini>li{display:grid;grid-template-columns:52px minmax(0,1fr) auto;gap:.75rem;align-items:center;padding:.5rem 0}
.mini .picture{width:52px;border-radius:9px}.mini .wheat{width:30px;height:30px}
.promo{margin:1rem 0}.ask{margin-top:1rem}.give-up{margin-top:1rem;border-top:1px solid var(--line);padding-top:.5rem}.give-up summary{padding:.6rem .25rem;cursor:pointer}.choices-more summary{padding:.6rem .25rem;cursor:pointer;color:var(--bark);font-weight:600}
.choices-more .choice{margin-top:.5rem}
.mini+.sums{margin-top:.9rem;padding-top:.9rem;border-top:1px solid var(--line)}
.part{margin-bottom:1.25rem}.part>h2{display:flex;align-items:center;gap:.65rem}
.part>h2 b{display:grid;place-items:center;width:1.9rem;height:1.9rem;border-radius:50%;background:var(--wheat-soft);
color:var(--bark);font:700 .95rem/1 system-ui,sans-serif;flex:none}
.pair{display:grid;gap:0 1rem}@media (min-width:36rem){.pair{grid-template-columns:1fr 1fr}}
.with-button{display:flex;gap:.5rem}.with-button input{flex:1;min-width:0}
.choices{display:grid;gap:.5rem;border:0;margin:0;padding:0;min-width:0}.choices legend{padding:0}
.choice{display:grid;grid-template-columns:auto minmax(0,1fr) auto;gap:.15rem .8rem;align-items:center;padding:.8rem .95rem;
border:1px solid var(--line);border-radius:12px;cursor:pointer;background:var(--card)}
.choice:hover{border-color:var(--wheat)}
.choice:has(input:checked){border-color:var(--bark);background:var(--wheat-soft);box-shadow:inset 0 0 0 1px var(--bark)}
.choice:has(input:focus-visible){outline:3px solid var(--wheat);outline-offset:2px}
.choice input{width:1.15rem;height:1.15rem;accent-color:var(--bark);margin:0}.choice small{color:var(--muted);display:block}
.choices-many{max-height:21rem;overflow:auto;padding:3px}
.pay{text-align:center}.qr{width:min(100%,19rem);aspect-ratio:1;margin:1rem auto;background:#fff;border-radius:16px;
padding:14px;border:1px solid var(--line)}.qr svg,.qr img{width:100%;height:100%}
.pay .sum{font-size:2rem;font-weight:750;font-variant-numeric:tabular-nums;color:var(--bark);line-height:1.2}
.clock{display:inline-block;font-variant-numeric:tabular-nums;font-weight:700;background:var(--wheat-soft);
padding:.25rem .8rem;border-radius:99px}
.how{text-align:left;counter-reset:how;display:grid;gap:.55rem;margin-top:1.25rem;padding-top:1.25rem;
border-top:1px solid var(--line)}
.how li{display:grid;grid-template-columns:1.7rem 1fr;gap:.6rem}.how li::before{counter-increment:how;content:counter(how);
display:grid;place-items:center;height:1.7rem;border-radius:50%;background:var(--wheat-soft);color:var(--bark);
font-weight:700;font-size:.85rem}
.waiting{display:inline-flex;align-items:center;gap:.5rem;color:var(--muted);font-size:.92rem;margin-top:.9rem}
.waiting::before{content:"";width:.65rem;height:.65rem;border-radius:50%;background:var(--wheat);
animation:pulse 1.6s ease-in-out infinite}@keyframes pulse{50%{opacity:.25}}
.status{display:inline-block;padding:.2rem .7rem;border-radius:99px;font-size:.85rem;font-weight:650;
background:var(--wheat-soft);color:var(--ink)}.status-good{background:var(--leaf-soft);color:var(--leaf)}
.status-bad{background:var(--rust-soft);color:var(--rust)}
.journey{display:grid;grid-template-columns:repeat(4,1fr);margin:.25rem 0 1.25rem;text-align:center;font-size:.82rem}
.journey li{position:relative;padding-top:2.1rem;color:var(--muted)}
.journey li::before{content:"";position:absolute;top:.35rem;left:50%;width:1.1rem;height:1.1rem;margin-left:-.55rem;
border-radius:50%;background:var(--card);border:3px solid var(--line);z-index:1}
.journey li+li::after{content:"";position:absolute;top:.8rem;right:50%;width:100%;height:3px;background:var(--line)}
.journey .done{color:var(--ink);font-weight:600}.journey .done::before{background:var(--leaf);border-color:var(--leaf)}
.journey .done+.done::after{background:var(--leaf)}
.timeline li{position:relative;padding:0 0 1.1rem 1.6rem}.timeline li:last-child{padding-bottom:0}
.timeline li::before{content:"";position:absolute;left:0;top:.42rem;width:.75rem;height:.75rem;border-radius:50%;
background:var(--line)}.timeline li:first-child::before{background:var(--leaf)}
.timeline li+li::after{content:"";position:absolute;left:.32rem;bottom:calc(100% - .4rem);width:2px;height:calc(100% - 1.2rem);
background:var(--line)}.timeline time{display:block;color:var(--muted);font-size:.85rem}
.orders{display:grid;gap:.85rem}.orders a{display:grid;gap:.35rem;color:var(--ink);text-decoration:none}
.orders a:hover{border-color:var(--wheat)}.row{display:flex;justify-content:space-between;gap:.75rem;align-items:baseline;
flex-wrap:wrap}.tracking{display:flex;align-items:center;flex-wrap:wrap;gap:.35rem .75rem}
.tracking code{font:600 1rem ui-monospace,SFMono-Regular,Menlo,monospace;background:var(--wheat-soft);padding:.2rem .55rem;
border-radius:8px}
`;
