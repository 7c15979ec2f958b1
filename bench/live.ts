import { localSettings, secretsFrom } from "../local/settings.ts";
import { benchFanout } from "./live/fanout.ts";
import { startStandIns } from "./stand-ins.ts";
import { bundleWorker, dropBundle, startWorkerd } from "./workerd.ts";

/** Rooms beside the official Socket.IO server, gifts beside Express and `pg`, ranking over ten million gifts. */
export async function benchLive(keep: (stop: () => Promise<unknown>) => void): Promise<void> {
  const standIns = await startStandIns();
  keep(standIns.stop);
  const secrets = secretsFrom();
  const bundle = bundleWorker({
    ...localSettings({ ...standIns, rateLimitFactor: 1000 }, secrets),
    MAIL_FROM: "Lumbung <halo@lumbung.example>",
    ALERT_EMAIL: "operator@lumbung.example",
  });
  keep(async () => dropBundle(bundle));
  const missed = await benchFanout({ worker: () => startWorkerd(bundle) });
  console.log(missed.length === 0 ? "All goals are met." : "NOT AS IT SHOULD BE:");
  for (const text of missed) console.log(`  ${text}`);
}
