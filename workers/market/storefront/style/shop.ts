/** The shelf: home and product pages. */
export const SHOP = `
.banner{aspect-ratio:5/2;background:linear-gradient(115deg,#8a5a1c,#d9a441 55%,#f0d08a);overflow:hidden;
position:relative;color:#fff3d4}
.banner img{width:100%;height:100%;object-fit:cover}
.banner .wheat{position:absolute;color:#fff3d44d;bottom:-14%;height:115%;width:auto}
.banner .wheat:nth-child(1){left:58%;transform:rotate(8deg)}.banner .wheat:nth-child(2){left:72%;transform:rotate(16deg)}
.banner .wheat:nth-child(3){left:86%;transform:rotate(26deg)}
@media (min-width:48rem){.banner{aspect-ratio:24/5;border-radius:0 0 22px 22px}}
.intro{position:relative;margin-top:-44px;display:grid;gap:.85rem;margin-bottom:1.5rem}
.intro h1{margin-bottom:.2rem}.intro .about{max-width:44rem;white-space:pre-line}
.facts{display:flex;flex-wrap:wrap;gap:.35rem 1.1rem;color:var(--muted);font-size:.92rem}
.facts>*{display:inline-flex;align-items:center;gap:.3rem}
.find{display:flex;gap:.5rem;margin-bottom:1rem}.find input{flex:1;min-width:0}
.chips{display:flex;gap:.5rem;overflow-x:auto;padding:.25rem 1rem .9rem;margin:0 -1rem .35rem;scrollbar-width:thin}
.chips a{flex:none;padding:.5rem .95rem;border-radius:99px;border:1px solid var(--line);background:var(--card);
color:var(--ink);text-decoration:none;font-size:.92rem}
.chips a[aria-current]{background:var(--bark);color:var(--on-bark);border-color:var(--bark)}
.chips a:hover:not([aria-current]){background:var(--wheat-soft)}
.chips small{opacity:.75}
.count{color:var(--muted);font-size:.92rem;margin:.25rem 0 1rem}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:.75rem}
@media (min-width:40rem){.grid{grid-template-columns:repeat(3,minmax(0,1fr));gap:1rem}}
@media (min-width:58rem){.grid{grid-template-columns:repeat(4,minmax(0,1fr));gap:1.25rem}}
.card{background:var(--card);border:1px solid var(--line);border-radius:var(--radius);overflow:hidden;
box-shadow:var(--shadow);transition:transform .15s,box-shadow .15s}
.card a{display:flex;flex-direction:column;height:100%;color:var(--ink);text-decoration:none;position:relative;
padding-bottom:.85rem}
.card:hover{transform:translateY(-2px)}.card a:focus-visible{outline-offset:-3px;border-radius:var(--radius)}
.card:hover .card-name{text-decoration:underline;text-decoration-color:var(--wheat)}
.card-name{padding:.7rem .85rem 0;line-height:1.35;min-height:calc(2.7em + .7rem);display:-webkit-box;
-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden}
.card-price{padding:.35rem .85rem 0;font-weight:700;font-variant-numeric:tabular-nums;margin-top:auto}
.card-gone .picture{opacity:.55;filter:grayscale(.6)}.card-gone .card-price{color:var(--muted)}
.picture{display:grid;place-items:center;aspect-ratio:1;width:100%;background:var(--wheat-soft);overflow:hidden}
.picture img{width:100%;height:100%;object-fit:cover}
.badge{position:absolute;left:.6rem;top:.6rem;padding:.2rem .6rem;border-radius:99px;font-size:.78rem;font-weight:650;
background:var(--wheat);color:#2a1c06}.badge-gone{background:#2a2118;color:#fff8ea}
.pager{display:flex;align-items:center;justify-content:space-between;gap:.5rem;margin-top:1.75rem;font-size:.92rem}
.product{display:grid;gap:1.25rem}
@media (min-width:52rem){.product{grid-template-columns:minmax(0,1.05fr) minmax(0,1fr);gap:2.5rem;align-items:start}
.product .buy-side{position:sticky;top:5.5rem}}
.gallery{position:relative}.slides{display:flex;overflow-x:auto;scroll-snap-type:x mandatory;border-radius:var(--radius);
border:1px solid var(--line);scrollbar-width:none}
.slides::-webkit-scrollbar{display:none}.slides li{flex:0 0 100%;scroll-snap-align:start}
.thumbs{display:flex;gap:.5rem;margin-top:.6rem;overflow-x:auto;padding:3px}
.thumbs a{flex:none;width:64px;border-radius:10px;overflow:hidden;border:1px solid var(--line)}
.price{font-size:1.7rem;font-weight:750;font-variant-numeric:tabular-nums;margin:.4rem 0 .2rem;color:var(--bark)}
.stock{display:inline-flex;align-items:center;gap:.35rem;font-size:.92rem;font-weight:600;color:var(--leaf)}
.stock-few{color:var(--rust)}.stock-gone{color:var(--muted)}
.buy{margin:1.25rem 0}.buy-row{display:grid;grid-template-columns:1fr 1fr;gap:.6rem;margin-top:1rem}
.steps{display:inline-flex;align-items:center;border:1px solid color-mix(in srgb,var(--muted) 55%,var(--line));
border-radius:12px;background:var(--card);overflow:hidden}
.steps button{width:46px;min-height:46px;border:0;background:transparent;color:var(--bark);font:inherit;font-size:1.3rem;
cursor:pointer}.steps button:hover{background:var(--wheat-soft)}
.steps button[disabled]{color:var(--muted);opacity:.5;cursor:default}
.steps button:focus-visible,.steps input:focus-visible{outline-offset:-3px}
.steps input[type=number]{width:3.6rem;min-height:46px;padding:0;border:0;border-radius:0;text-align:center;
background:transparent;font-variant-numeric:tabular-nums;-moz-appearance:textfield;appearance:textfield}
.steps input::-webkit-inner-spin-button,.steps input::-webkit-outer-spin-button{appearance:none;margin:0}
.describe{white-space:pre-line;max-width:44rem}
.specs{display:grid;grid-template-columns:auto 1fr;gap:.35rem 1.25rem;margin:1.25rem 0;padding:1rem 0;
border-block:1px solid var(--line);font-size:.95rem}.specs dt{color:var(--muted)}.specs dd{margin:0}
.more{margin-top:3rem}.more h2{margin-bottom:1rem}
`;
