import { createApi } from "../../shared/http/api.ts";
import { agencyRoutes } from "./routes/agencies.ts";
import { chatRoutes } from "./routes/chat.ts";
import { coinRoutes } from "./routes/coins.ts";
import { followRoutes } from "./routes/follows.ts";
import { giftRoutes } from "./routes/gifts.ts";
import { hostRoutes } from "./routes/hosts.ts";
import { incomeRoutes } from "./routes/income.ts";
import { rankingRoutes } from "./routes/ranking.ts";
import { roomRoutes } from "./routes/rooms.ts";
import { salaryRoutes } from "./routes/salaries.ts";
import { sessionRoutes } from "./routes/sessions.ts";

/** Gifts, ranking, income, coins, sessions, agencies, hosts and chat of the live app. */
export const liveRoutes = createApi();

liveRoutes.route("/", coinRoutes);
liveRoutes.route("/", giftRoutes);
liveRoutes.route("/", incomeRoutes);
liveRoutes.route("/", rankingRoutes);
liveRoutes.route("/", roomRoutes);
liveRoutes.route("/", sessionRoutes);
liveRoutes.route("/", agencyRoutes);
liveRoutes.route("/", salaryRoutes);
liveRoutes.route("/", hostRoutes);
liveRoutes.route("/", followRoutes);
liveRoutes.route("/", chatRoutes);
