/** Colours of a granary: paper, bark, ripe wheat. Text on its ground is AA in both schemes. */
export const BASE = `
:root{color-scheme:light dark;--paper:#faf5ea;--card:#fffdf8;--ink:#2a2118;--muted:#6a5a47;--line:#e6dac2;
--wheat:#dfa93d;--wheat-soft:#f7ead0;--bark:#7b4a12;--bark-deep:#5f380b;--on-bark:#fffaf0;
--leaf:#2c6539;--leaf-soft:#e2f0de;--rust:#a1321d;--rust-soft:#fbe5dd;--radius:14px;
--shadow:0 1px 2px #4a31100f,0 6px 20px #4a311012}
@media (prefers-color-scheme:dark){:root{--paper:#1c1712;--card:#262019;--ink:#f4ebdc;--muted:#c2b29b;--line:#40362a;
--wheat:#e6b653;--wheat-soft:#3b2f1a;--bark:#eac06a;--bark-deep:#f6d48b;--on-bark:#2a1c06;
--leaf:#9ad0a3;--leaf-soft:#213326;--rust:#ffb4a1;--rust-soft:#43241c;--shadow:0 1px 2px #0006}}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:5rem}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans",sans-serif;min-height:100vh;min-height:100dvh;display:flex;flex-direction:column;overflow-wrap:anywhere}
h1,h2,h3{font-family:"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",Georgia,"Noto Serif",serif;
line-height:1.2;margin:0;text-wrap:balance;font-weight:700}
h1{font-size:clamp(1.55rem,1.2rem + 1.7vw,2.2rem)}h2{font-size:1.25rem}h3{font-size:1.05rem}
p{margin:0}ul,ol{list-style:none;margin:0;padding:0}img,svg{display:block}img{max-width:100%}
a{color:var(--bark);text-underline-offset:.18em}a:hover{color:var(--bark-deep)}
:focus-visible{outline:3px solid var(--wheat);outline-offset:2px;border-radius:6px}
main:focus{outline:none}main{flex:1;padding-bottom:3rem}
.wide{width:100%;max-width:72rem;margin-inline:auto;padding-inline:1rem}
.narrow{width:100%;max-width:27rem;margin-inline:auto;padding:2rem 1rem}
.skip{position:absolute;left:1rem;top:-4rem;background:var(--bark);color:var(--on-bark);padding:.6rem 1rem;
border-radius:0 0 10px 10px;z-index:9}.skip:focus{top:0;color:var(--on-bark)}
.muted{color:var(--muted)}.small{font-size:.875rem}.stack>*+*{margin-top:1rem}
.hidden-words{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
[hidden]{display:none!important}
.top{position:sticky;top:0;z-index:5;background:color-mix(in srgb,var(--paper) 92%,transparent);
backdrop-filter:blur(10px);border-bottom:1px solid var(--line)}
.top-row{display:flex;align-items:center;justify-content:space-between;gap:.75rem;min-height:64px}
.brand{display:flex;align-items:center;gap:.65rem;min-width:0;color:var(--ink);text-decoration:none;font-weight:650}
.brand>span:last-child{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.top nav{display:flex;gap:.25rem;flex:none}
.top nav a{display:flex;align-items:center;gap:.45rem;padding:.6rem .7rem;border-radius:10px;color:var(--ink);
text-decoration:none;font-size:.92rem}
.top nav a:hover,.top nav a[aria-current]{background:var(--wheat-soft)}
@media (max-width:26rem){.top nav a{flex-direction:column;gap:0;font-size:.72rem;padding:.35rem .55rem}}
.logo{display:grid;place-items:center;flex:none;width:40px;height:40px;border-radius:11px;overflow:hidden;
background:var(--bark);color:var(--on-bark);font-weight:700;font-size:1.15rem}
.logo img{width:100%;height:100%;object-fit:cover}
.logo-big{width:88px;height:88px;border-radius:20px;font-size:2.4rem;border:4px solid var(--card);
box-shadow:var(--shadow)}
.foot{border-top:1px solid var(--line);padding:1.5rem 0 2rem;color:var(--muted);font-size:.875rem}
.foot .wide{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;justify-content:space-between}
.panel{background:var(--card);border:1px solid var(--line);border-radius:var(--radius);padding:1.25rem;
box-shadow:var(--shadow)}.panel>h2{margin-bottom:1rem}
.columns{display:grid;gap:1.25rem;align-items:start}
@media (min-width:58rem){.columns{grid-template-columns:minmax(0,1.55fr) minmax(20rem,1fr);gap:1.75rem}
.columns .side{position:sticky;top:5.5rem}}
.heading{padding:1.75rem 0 1.25rem}.heading p{color:var(--muted);margin-top:.5rem;display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:center}
.crumbs{padding:1rem 0;font-size:.9rem;color:var(--muted)}
.notice{display:flex;gap:.7rem;align-items:flex-start;padding:.85rem 1rem;border-radius:12px;margin:0 0 1.25rem;
border:1px solid}.notice .icon{flex:none;margin-top:.1rem}
.stack>.notice{margin:1rem 0 0}.notice-problem{background:var(--rust-soft);color:var(--rust);border-color:currentColor}
.notice-good{background:var(--leaf-soft);color:var(--leaf);border-color:currentColor}
.notice-plain{background:var(--wheat-soft);color:var(--ink);border-color:var(--wheat)}
.notice a{color:inherit;font-weight:600}
.empty{text-align:center;padding:3rem 1rem;max-width:30rem;margin-inline:auto}.empty .wheat{margin:0 auto 1rem}
.bare{padding-top:16vh}.empty p{color:var(--muted);margin:.5rem 0 1.5rem}.wheat{color:var(--wheat)}
.button{display:inline-flex;align-items:center;justify-content:center;gap:.5rem;min-height:48px;padding:.65rem 1.25rem;
border:1px solid transparent;border-radius:12px;background:var(--bark);color:var(--on-bark);font:inherit;
font-weight:650;text-decoration:none;text-align:center;cursor:pointer;transition:background .15s,transform .1s}
.button:hover{background:var(--bark-deep);color:var(--on-bark)}.button:active{transform:translateY(1px)}
.button-quiet{background:transparent;border-color:var(--line);color:var(--bark)}
.button-quiet:hover{background:var(--wheat-soft);color:var(--bark-deep)}
.button-block{width:100%}.button[disabled]{opacity:.55;cursor:not-allowed}
.button[aria-busy]{opacity:.75;cursor:progress}
.link{background:none;border:0;padding:.5rem 0;color:var(--bark);font:inherit;font-size:.9rem;cursor:pointer;
text-decoration:underline;text-underline-offset:.18em}
.field{margin-bottom:1rem}.field label,.label{display:block;font-weight:600;font-size:.92rem;margin-bottom:.35rem}
input[type=text],input[type=search],input[type=email],input[type=tel],input[type=password],input[type=number],textarea{
width:100%;min-height:48px;padding:.65rem .85rem;border:1px solid color-mix(in srgb,var(--muted) 55%,var(--line));
border-radius:12px;background:var(--card);color:var(--ink);font:inherit}
textarea{resize:vertical}[aria-invalid]{border-color:var(--rust)!important}
.hint{color:var(--muted);font-size:.85rem;margin-top:.3rem}
.wrong{color:var(--rust);font-size:.88rem;margin-top:.3rem;font-weight:600}
@media (prefers-reduced-motion:reduce){*{transition:none!important;animation:none!important;
scroll-behavior:auto!important}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;
