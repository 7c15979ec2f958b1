import type { Pair, Trips } from "./compare.ts";
import type { Measured } from "./load.ts";

export interface Row {
  name: string;
  trips?: Pair<Trips>;
  near: Pair<Measured>;
  far?: Pair<Measured>;
}

const NAME = 32;
const WIDTHS = [6, 6, 13, 13, 6, 13, 13, 6, 7, 7, 6];

export function printHead(): void {
  const groups = [
    "round trips",
    "p50 / p99 ms, database 0 ms",
    "p50 / p99 ms, database 20 ms",
    "CPU µs a request",
  ];
  const spans = [13, 34, 34, 22];
  console.log(
    line(
      "",
      groups.map((text, i) => text.padStart(spans[i] ?? 0)),
    ),
  );
  const trio = ["Worker", "Express", "×"];
  const heads = ["Worker", "Expr.", ...trio, ...trio, ...trio];
  console.log(
    line(
      "",
      heads.map((text, i) => text.padStart(WIDTHS[i] ?? 0)),
    ),
  );
}

/** `×`: the Worker's figure over Express'; below 1 the Worker is the better one. */
export function printRow({ name, trips, near, far }: Row): void {
  const cells = [
    trips ? tripsText(trips.worker) : "",
    trips ? tripsText(trips.peer) : "",
    ...times(near),
    ...(far ? times(far) : ["", "", ""]),
    ...trio(near, (side) => side.cpuUs.toFixed(0), "cpuUs"),
  ];
  console.log(
    line(
      name,
      cells.map((text, i) => text.padStart(WIDTHS[i] ?? 0)),
    ),
  );
}

export const line = (name: string, cells: string[]) =>
  [name.padEnd(NAME), ...cells].join(" ").trimEnd();

export const tripsText = ({ before, behind }: Trips) =>
  behind ? `${before} +${behind}` : `${before}`;

const times = (pair: Pair<Measured>) =>
  trio(pair, ({ p50Ms, p99Ms }) => `${milliseconds(p50Ms)} / ${milliseconds(p99Ms)}`, "p50Ms");

function trio(pair: Pair<Measured>, show: (side: Measured) => string, by: "p50Ms" | "cpuUs") {
  return [show(pair.worker), show(pair.peer), (pair.worker[by] / pair.peer[by]).toFixed(2)];
}

export const milliseconds = (ms: number) => (ms < 10 ? ms.toFixed(1) : ms.toFixed(0));
