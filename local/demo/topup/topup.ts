import { DEMO_PASSWORD } from "../data.ts";
import { check, type Tell } from "../narrator.ts";
import { makeBuyer } from "../sale/buyer.ts";
import { signIn } from "../sale/seller.ts";
import { compareBooks, compareReports, jakartaDay, reconcile } from "./books.ts";
import { ask, type Caller, refusalOf, undial } from "./calls.ts";
import { keepAwake, readPrices, type Shelf, syncCatalogue } from "./catalogue.ts";
import {
  buyBroken,
  buyInVain,
  buyPartly,
  buyToken,
  buyUnanswered,
  buyUnheard,
  type Cast,
  newTargets,
  type Targets,
} from "./purchases.ts";
import { deposit } from "./wallet.ts";

const ADMIN = "admin@lumbung.example";
const STRANGER = "pembeli@lumbung.example";
const DEPOSIT = 500_000;

/**
 * Four kinds of top-up bought from a supplier that answers late, twice, wrongly or not at all; in the end its list and
 * ours are the same. Throws at the first step that fails.
 */
export async function buyTopups(tell: Tell): Promise<void> {
  const admin = { token: await signIn(tell, ADMIN, DEMO_PASSWORD) };
  const stranger = { token: await signIn(tell, STRANGER, DEMO_PASSWORD) };
  await keepAwake(tell);
  await syncCatalogue(tell, admin);
  const customer = await makeBuyer(tell);
  const shelf = await readPrices(tell, customer);
  await deposit(tell, customer, DEPOSIT);
  const targets = newTargets();
  await seeNickname(tell, customer, targets.diamonds);

  const since = jakartaDay(new Date());
  const before = await reconcile(tell, admin, since);
  try {
    await buyAll(tell, { admin, customer, stranger }, shelf, targets);
  } finally {
    for (const target of Object.values(targets)) await undial(tell, target);
  }
  const purchased = { deposited: DEPOSIT, targets: Object.values(targets) };
  const bought = await compareBooks(tell, { admin, customer }, purchased);
  compareReports(tell, before, await reconcile(tell, admin, since), bought);
  tell.end("Every paid order was bought once or refunded once.");
}

/** Whom a top-up would go to; a player that does not exist is told before anything is paid. */
async function seeNickname(tell: Tell, customer: Caller, player: string): Promise<void> {
  const path = "/api/services/nickname";
  const asked = { game: "Mobile Legends", userId: player, zoneId: "2001" };
  const { data } = await ask<{ data: { nickname: string } }>(tell, path, customer, asked);
  const nobody = await refusalOf(tell, path, customer, { ...asked, userId: `0${player}` });
  check("the answer for a player that is none", nobody.status, 404);
  tell.step(`Player ${player} (2001) is "${data.nickname}"`, `player 0${player}: ${nobody.words}`);
}

/** The unanswered order takes half a minute, so all others are bought meanwhile. */
async function buyAll(tell: Tell, cast: Cast, shelf: Shelf, targets: Targets): Promise<void> {
  const unanswered = buyUnanswered(tell, cast, shelf, targets.slow);
  // Its failure is thrown below.
  unanswered.catch(() => undefined);
  await buyToken(tell, cast, shelf, targets.token);
  await buyUnheard(tell, cast, shelf, targets.diamonds);
  await buyPartly(tell, cast, shelf, targets.followers);
  await buyInVain(tell, cast, shelf, targets);
  await buyBroken(tell, cast, shelf, targets.broken);
  (await unanswered)();
}
