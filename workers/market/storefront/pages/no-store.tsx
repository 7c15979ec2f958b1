import type { Child } from "hono/jsx";
import { Wheat } from "../components/icons.tsx";
import { STYLE } from "../style.ts";

/** A page without a store around it: nothing of a closed store is shown. */
export const BarePage = (props: {
  title: string;
  children: Child;
  href?: string;
  action?: string;
}) => (
  <html lang="id">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>{props.title}</title>
      <meta name="robots" content="noindex" />
      <meta name="color-scheme" content="light dark" />
      <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
      <style dangerouslySetInnerHTML={{ __html: STYLE }} />
    </head>
    <body>
      <main id="isi">
        <div class="empty bare">
          <Wheat size={112} />
          <h1>{props.title}</h1>
          <p>{props.children}</p>
          {props.href ? (
            <a class="button" href={props.href}>
              {props.action}
            </a>
          ) : null}
        </div>
      </main>
    </body>
  </html>
);
