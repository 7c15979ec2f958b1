import { existsSync } from "node:fs";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";

const PLACES = ["chromium", "chromium-browser", "google-chrome"].map((name) => `/usr/bin/${name}`);

/** The browser of this machine, or undefined. */
export const executablePath = PLACES.find((path) => existsSync(path));

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts it with a user folder of its own, which is gone with it. */
export async function openBrowser(): Promise<Browser> {
  if (!executablePath) throw new Error("no Chromium on this machine");
  return await chromium.launch({ executablePath, args: FLAGS });
}

/** A phone's window. Without scripts only the page's own are off; the tests can still look. */
export async function openPhone(
  browser: Browser,
  { scripts = true, touch = true } = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    hasTouch: touch,
    javaScriptEnabled: scripts,
    locale: "id-ID",
  });
  context.setDefaultTimeout(40_000);
  await context.addInitScript(WATCH);
  return context;
}

const WATCH = `
  window.seen = { shift: 0, violations: [] };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  addEventListener("securitypolicyviolation", (event) => {
    seen.violations.push(event.violatedDirective + " " + event.blockedURI);
  });
`;

/** What a page must never do; `faults` collects it, page after page. */
export interface Watch {
  page: Page;
  faults: string[];
  /** Looks at the page that is shown now. */
  look(name: string): Promise<void>;
}

/** The largest sum of layout shifts that nobody sees. */
const STILL = 0.01;

export async function watchPage(context: BrowserContext): Promise<Watch> {
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  const look = async (name: string) => {
    await page.waitForLoadState("networkidle");
    const found = await page.evaluate<Seen>(LOOK);
    if (found.wide > 0) faults.push(`${name} is ${found.wide} px wider than the screen`);
    if (found.shift > STILL) faults.push(`${name} shifts by ${found.shift}`);
    faults.push(...found.violations.map((violation) => `${name} violates ${violation}`));
    if (found.title === "") faults.push(`${name} has no title`);
  };
  return { page, faults, look };
}

interface Seen {
  wide: number;
  shift: number;
  violations: string[];
  title: string;
}

const LOOK = `(() => {
  const root = document.documentElement;
  return { ...seen, wide: root.scrollWidth - root.clientWidth, title: document.title };
})()`;

/** Walks with Tab until the element has the focus, as one does without a mouse; then it must show that it has it. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let steps = 0; steps < 100; steps += 1) {
    await page.keyboard.press("Tab");
    const { focused, ring } = await target.evaluate((element) => {
      const { activeElement, defaultView } = element.ownerDocument;
      const { outlineStyle, outlineWidth, boxShadow } = defaultView.getComputedStyle(element);
      const outlined = outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0;
      return { focused: element === activeElement, ring: outlined || boxShadow !== "none" };
    });
    if (!focused) continue;
    if (!ring) throw new Error(`${target} does not show its focus`);
    return;
  }
  throw new Error(`${target} cannot be reached with Tab`);
}
