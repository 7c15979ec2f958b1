import { Hono } from "hono";
/** TEMPORARY stub until app.tsx is there. */
export const storefront = new Hono<{ Bindings: Env }>();
