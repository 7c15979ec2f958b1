import type { Child } from "hono/jsx";
import { raw } from "hono/utils/html";
import { STYLE } from "./style.ts";

/** A whole page. It loads nothing and runs nothing: the API's own headers allow it no more than its style. */
export const Document = ({ title, children }: { title: string; children: Child }) => (
  <html lang="id">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="robots" content="noindex" />
      <title>{title}</title>
      <style>{raw(STYLE)}</style>
    </head>
    <body>
      <main>{children}</main>
    </body>
  </html>
);

/** What a person reads who followed a link that leads no further. */
export const MessagePage = ({ title, words }: { title: string; words: string }) => (
  <Document title={title}>
    <h1>{title}</h1>
    <p>{words}</p>
  </Document>
);
