import { Router } from "express";
import { jwtVerify } from "jose";
import { pool, query } from "./database.ts";

/**
 * A gift as the original app sends it: six statements, one after the other, in one transaction over tables of its own
 * (`peer_users`, `peer_gifts`, `peer_host_income`; see bench/live/seed-peer.ts).
 */
export const giftRoutes = Router();

const [, secretText = ""] = (process.env.JWT_KEYS ?? "").split(":");
const secret = new TextEncoder().encode(secretText);

giftRoutes.post("/peer/gifts/send", async (request, response) => {
  const token = request.headers.authorization?.split(" ")[1] ?? "";
  const { payload } = await jwtVerify(token, secret);
  const { receiverId, giftName, coinValue, quantity, category } = request.body;
  const total = coinValue * quantity;
  const share = category === "lucky" || category === "s-lucky" ? 0.1 : 0.5;
  const income = Math.floor(total * share);
  const client = await pool.connect();
  try {
    const ask = (text: string, values: unknown[] = []) => query(text, values, client);
    await ask("begin");
    const [sender] = await ask("select balance from peer_users where id = $1", [payload.id]);
    if (Number(sender.balance) < total) {
      await ask("rollback");
      response.status(400).json({ success: false, message: "Saldo tidak cukup" });
      return;
    }
    await ask("update peer_users set balance = balance - $1 where id = $2", [total, payload.id]);
    await ask("update peer_users set balance = balance + $1 where id = $2", [income, receiverId]);
    const [gift] = await ask(
      `insert into peer_gifts (sender_id, receiver_id, gift_name, coin_value, quantity)
        values ($1, $2, $3, $4, $5) returning id, created_at`,
      [payload.id, receiverId, giftName, coinValue, quantity],
    );
    const { id, created_at } = gift;
    await ask(
      "insert into peer_host_income (host_id, gift_id, income, type) values ($1, $2, $3, $4)",
      [receiverId, id, income, category],
    );
    await ask("commit");
    const data = { giftId: Number(id), hostIncome: income, createdAt: created_at };
    response.json({ success: true, message: "Gift berhasil dikirim", data });
  } finally {
    client.release();
  }
});
