import type { Child } from "hono/jsx";
import { AlertIcon, CheckIcon, InfoIcon, Wheat } from "./icons.tsx";

/** Words about what just happened; screen readers are told. */
export const Notice = ({
  kind,
  children,
}: {
  kind: "problem" | "good" | "plain";
  children: Child;
}) => (
  <div class={`notice notice-${kind}`} role={kind === "problem" ? "alert" : "status"}>
    {kind === "good" ? <CheckIcon /> : kind === "plain" ? <InfoIcon /> : <AlertIcon />}
    <div>{children}</div>
  </div>
);

/** What stands where nothing is, with a way on. */
export const Empty = (props: {
  title: string;
  children?: Child;
  href?: string;
  action?: string;
  /** It is all that the page says, so its title is the page's. */
  whole?: boolean;
}) => (
  <div class="empty">
    <Wheat />
    {props.whole ? <h1>{props.title}</h1> : <h2>{props.title}</h2>}
    {props.children === undefined ? null : <p>{props.children}</p>}
    {props.href ? (
      <a class="button" href={props.href}>
        {props.action}
      </a>
    ) : null}
  </div>
);
