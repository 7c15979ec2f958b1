import { cpuMicroseconds, median, pause } from "../load.ts";
import { line, milliseconds } from "../table.ts";
import { freePort, ROOT, type Running, startServer } from "../workerd.ts";
import { startBareLoop } from "./bare.ts";
import { type Chatter, type Crowd, type Delivered, startCrowd } from "./crowd.ts";
import { residentKib } from "./memory.ts";

const CROWDS = [500, 2000];
const ROUNDS = 3;
/** Offered load: deliveries per second, however many viewers share it. */
const OFFERED = 10_000;
const SECONDS = 4;
/** Deliveries of a burst, as fast as it goes: everybody in the smaller room says one thing. Fewer are over in one batch. */
const BURST = 250_000;
/** What a burst leaves to be written is written by then. */
const SETTLED_MS = 1_500;

interface Figures {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuUs: number;
  burstCpuUs: number;
  idleKib: number;
  missing: number;
}

type StartSide = () => Promise<Running>;

export interface FanoutSides {
  worker: StartSide;
  /** The same objects and calls with nothing of ours in them. */
  bareRoom: StartSide;
}

/** Two runs of one server on this machine differ by so much. */
const NOISE = 1.1;

/** Fan-out in one room beside the official server on Node: the same clients, the same frames, in turns. */
export async function benchFanout({ worker, bareRoom }: FanoutSides): Promise<string[]> {
  console.log(
    line("one room, chat", [
      "deliveries/s (burst)".padStart(21),
      "p50 ms".padStart(8),
      "p99 ms".padStart(8),
      "CPU µs a delivery".padStart(18),
      "µs a message (burst)".padStart(21),
      "KiB an idle socket".padStart(19),
    ]),
  );
  const missed: string[] = [];
  for (const viewers of CROWDS) {
    const node = await measure(startNode, viewers, false);
    const ours = await measure(worker, viewers, false);
    const room = await measure(bareRoom, viewers, false);
    const loop = await measure(startBareLoop, viewers, false);
    const batched = await measure(worker, viewers, true);
    print(`${viewers} viewers, socket.io`, node);
    print(`${viewers} viewers, a bare loop`, loop);
    print(`${viewers} viewers, a bare room`, room);
    print(`${viewers} viewers, Worker`, ours);
    print(`${viewers} viewers, Worker, batch`, batched);
    const times = (of: Figures) =>
      `CPU a delivery ×${(of.cpuUs / node.cpuUs).toFixed(2)}, p99 ×${(of.p99Ms / node.p99Ms).toFixed(2)}`;
    const saved = ours.burstCpuUs / batched.burstCpuUs;
    console.log(`  ${times(ours)}, a burst in batches takes ${saved.toFixed(1)} times less CPU`);
    console.log(`  of workerd alone: a bare loop ${times(loop)}; a bare room ${times(room)}`);
    missed.push(...judge(viewers, { node, loop, room, ours, batched }));
  }
  console.log(LEGEND);
  return missed;
}

const LEGEND = `  A bare loop: one object that hibernates its sockets and sends each of them what is said, nothing else. A bare room: the
  same from as many objects as ours, told by one more in a call each, the same frames, our Worker loaded beside and never
  called: what the shape of a room and the size of the Worker take, without any code of ours on the way. Our Worker has
  been asked for sockets only, as where the platform runs objects: the routes of its five domains are not loaded there.
  A burst: each of 500 viewers says one thing, and ${BURST / 2000} of 2,000 do, as fast as it goes; of ${ROUNDS} the middle one, with
  the CPU of what is written behind it.`;

type Sides = Record<"node" | "loop" | "room" | "ours" | "batched", Figures>;

function judge(viewers: number, sides: Sides): string[] {
  const { ours, batched } = sides;
  const missed: string[] = [];
  const lost = Object.values(sides).reduce((sum, { missing }) => sum + missing, 0);
  if (lost > 0) missed.push(`${viewers} viewers: ${lost} messages were not delivered`);
  const cpu = compared(sides, ({ cpuUs }) => cpuUs, "µs");
  if (cpu) missed.push(`${viewers} viewers: more CPU a delivery than Node's: ${cpu}`);
  const p99 = compared(sides, ({ p99Ms }) => p99Ms, "ms");
  if (p99) missed.push(`${viewers} viewers: p99 above Node's: ${p99}`);
  const saved = ours.burstCpuUs / batched.burstCpuUs;
  if (saved < 5) missed.push(`${viewers} viewers: batches save ${saved.toFixed(1)} times, goal 5`);
  return missed;
}

/** Of a figure above Node's: what workerd's sends, the shape of a room and our own code have in it; null for no other. */
function compared(sides: Sides, of: (side: Figures) => number, unit: string): string | null {
  const [node, loop, room, ours] = [of(sides.node), of(sides.loop), of(sides.room), of(sides.ours)];
  if (ours <= node) return null;
  const text = (value: number) => `${value.toFixed(1)} ${unit}`;
  const bound = loop > node ? "so no loop of sends in workerd reaches it" : "which reaches it";
  const isNoise = ours <= room * NOISE;
  const code = isNoise ? "no more than noise" : `${text(ours - room)} more`;
  return `${text(ours)}, Node ${text(node)}; a bare loop takes ${text(loop)}, ${bound}; with the objects, calls and size of our Worker ${text(room)}; our code ${code}`;
}

async function measure(start: StartSide, viewers: number, batch: boolean): Promise<Figures> {
  const server = await start();
  const crowd = await startCrowd();
  try {
    const empty = residentKib(server.pid);
    const url = `ws://127.0.0.1:${server.port}`;
    await crowd.gather({ url, roomId: "chatme-live", viewers, batch });
    const idleKib = (residentKib(server.pid) - empty) / viewers;
    await crowd.chat({ messages: 100, perSecond: 50 });
    const steady: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const perSecond = OFFERED / viewers;
      const messages = Math.ceil(perSecond * SECONDS);
      steady.push(await chat(server, crowd, { messages, perSecond }));
    }
    const bursts: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bursts.push(
        await chat(server, crowd, { messages: BURST / viewers, perSecond: 0 }, SETTLED_MS),
      );
    }
    const missing = [...steady, ...bursts].reduce((sum, round) => sum + round.missing, 0);
    const middle = (rounds: Round[], of: (round: Round) => number) => median(rounds.map(of));
    return {
      perSecond: middle(bursts, (round) => round.deliveries / round.seconds),
      p50Ms: middle(steady, (round) => round.p50Ms),
      p99Ms: middle(steady, (round) => round.p99Ms),
      cpuUs: middle(steady, (round) => round.cpuUs / round.deliveries),
      burstCpuUs: middle(bursts, (round) => round.cpuUs / round.messages),
      idleKib,
      missing,
    };
  } finally {
    await crowd.leave();
    await server.stop();
  }
}

type Round = Delivered & { messages: number; cpuUs: number };

async function chat(
  server: Running,
  crowd: Crowd,
  chatter: Chatter,
  settledMs = 0,
): Promise<Round> {
  const before = cpuMicroseconds(server.pid);
  const delivered = await crowd.chat(chatter);
  await pause(settledMs);
  const { messages } = chatter;
  return { ...delivered, messages, cpuUs: cpuMicroseconds(server.pid) - before };
}

async function startNode(): Promise<Running> {
  const port = await freePort();
  return await startServer(process.execPath, [`${ROOT}/bench/peers/socketio.ts`], port, {
    PORT: String(port),
    NODE_ENV: "production",
  });
}

function print(name: string, figures: Figures): void {
  const cells = [
    Math.round(figures.perSecond).toLocaleString("en").padStart(21),
    milliseconds(figures.p50Ms).padStart(8),
    milliseconds(figures.p99Ms).padStart(8),
    figures.cpuUs.toFixed(1).padStart(18),
    figures.burstCpuUs.toFixed(0).padStart(21),
    figures.idleKib.toFixed(1).padStart(19),
  ];
  console.log(line(name, cells));
}
