import express, { type ErrorRequestHandler } from "express";
import { cartRoutes } from "./express/cart.ts";
import { catalogueRoutes } from "./express/catalogue.ts";
import { query, setLatency } from "./express/database.ts";
import { giftRoutes } from "./express/gifts.ts";
import { hostingRoutes } from "./express/hosting.ts";
import { orderRoutes } from "./express/orders.ts";
import { pageRoutes } from "./express/pages.ts";
import { peopleRoutes } from "./express/people.ts";
import { topupRoutes } from "./express/topup.ts";

/**
 * What people run today: the same routes in a plain Express server with a `pg` pool, one query after another, over
 * the same tables. Started by the benchmark with PORT, DATABASE_URL, JWT_KEYS, MIDTRANS_*, VIP_RESELLER_* and
 * IPAYMU_* in its environment.
 */
const app = express();
app.use(express.json());
app.use(
  giftRoutes,
  peopleRoutes,
  catalogueRoutes,
  cartRoutes,
  orderRoutes,
  pageRoutes,
  topupRoutes,
  hostingRoutes,
);

/** For the base line: what the framework takes, and what one query of 20 rows takes. */
app.get("/empty", (_request, response) => void response.send("ok"));
app.get("/database", async (_request, response) => {
  response.json(
    await query(
      "select * from market_products where status = 'active' and deleted_at is null order by created_at desc, id desc limit 20",
    ),
  );
});

app.put("/_latency", (request, response) => {
  setLatency(request.body.ms);
  response.json(request.body);
});

const onError: ErrorRequestHandler = (error, _request, response, _next) => {
  console.error(error);
  response.status(500).json({ data: null, error: "Internal server error", meta: {} });
};
app.use(onError);

app.listen(Number(process.env.PORT), "127.0.0.1");
