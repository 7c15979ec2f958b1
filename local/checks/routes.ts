import { build, type Plugin } from "esbuild";

/**
 * `npm run routes`: `METHOD /path`, a line for every route that the Worker serves on the API host. The application is
 * bundled first: Node reads no JSX, and knows none of the platform's modules, which only serving needs.
 */
const LIST = `
  import { createApiApp } from "./workers/api.ts";
  import { SOCKET_ROUTES } from "./workers/live/entry.ts";
  const lines = [...createApiApp().routes, ...SOCKET_ROUTES]
    .filter((route) => route.method !== "ALL")
    .map((route) => route.method + " " + route.path);
  console.log([...new Set(lines)].join("\\n"));
`;

const withoutPlatform: Plugin = {
  name: "without-platform",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^cloudflare:/ }, ({ path }) => ({ path, namespace: "platform" }));
    onLoad({ filter: /./, namespace: "platform" }, () => ({ contents: "module.exports = {}" }));
  },
};

const { outputFiles } = await build({
  stdin: { contents: LIST, resolveDir: `${import.meta.dirname}/../..` },
  bundle: true,
  write: false,
  platform: "node",
  format: "esm",
  // Parts of the bundle that are CommonJS ask for Node's own modules.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire("file:///");',
  },
  plugins: [withoutPlatform],
});
for (const { text } of outputFiles) {
  await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
}
