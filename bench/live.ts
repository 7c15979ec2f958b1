import { localSettings, secretsFrom } from "../local/settings.ts";
import { startBareRoom } from "./live/bare.ts";
import { printCost } from "./live/cost.ts";
import { benchFanout } from "./live/fanout.ts";
import { benchGifts } from "./live/gifts.ts";
import { benchRanking } from "./live/ranking.ts";
import { startExpress } from "./sides.ts";
import { startStandIns } from "./stand-ins.ts";
import { bundleWorker, dropBundle, startWorkerd } from "./workerd.ts";

const SHARDS = 8;

/** Rooms beside the official Socket.IO server, gifts beside Express and `pg`, ranking over ten million gifts. */
export async function benchLive(keep: (stop: () => Promise<unknown>) => void): Promise<void> {
  const standIns = await startStandIns();
  keep(standIns.stop);
  const secrets = secretsFrom();
  const bundle = bundleWorker({
    ...localSettings({ ...standIns, rateLimitFactor: 1000 }, secrets),
    LIVE_SHARDS: String(SHARDS),
  });
  keep(async () => dropBundle(bundle));
  const startPeer = async () => {
    const peer = await startExpress(standIns, secrets.JWT_KEYS);
    keep(peer.stop);
    return peer;
  };
  const missed = [
    ...(await benchFanout({
      // An isolate that holds sockets and rooms, and has never been asked for a route.
      worker: () => startWorkerd(bundle, "/socket.io/"),
      bareRoom: () => startBareRoom(bundle, SHARDS),
    })),
    ...(await benchGifts(standIns, secrets.JWT_KEYS, startPeer)),
    ...(await benchRanking(standIns)),
  ];
  printCost({ shards: SHARDS });
  console.log(missed.length === 0 ? "All goals are met." : "NOT AS IT SHOULD BE:");
  for (const text of missed) console.log(`  ${text}`);
}
