import { expect, it } from "vitest";
import { PHONE_PNG } from "../../shared/files/image-samples.ts";
import { type Answer, post, send, someEmail, somePhone, tokenOf } from "./test-people.ts";

it("no identity route ever answers a password or its hash", async () => {
  const password = `rahasia-${crypto.randomUUID()}`;
  const [email, phone] = [someEmail(), somePhone()];
  const form = new FormData();
  form.set("avatar", new File([new Uint8Array(PHONE_PNG)], "avatar.png"));

  const answers: Answer[] = [
    await post("/api/auth/register", { email, password, full_name: "Ana Ayu", role: "seller" }),
    await post("/api/auth/register", { email, password, name: password }),
    await post("/api/register", { phone, password }),
    await post("/api/register", { phone, password }),
    await post("/api/auth/signin", { email, password }),
    await post("/api/auth/login", { phone, password }),
    await post("/api/login", { phone, password }),
    await post("/api/auth/login", { email, password: `${password}x` }),
    await post("/api/login", { phone: password, password }),
    await post("/api/login", { phone, password: { value: password } }),
  ];
  const token = tokenOf(await post("/api/login", { phone, password }));
  for (const base of ["/api/profile", "/api/auth/profile"]) {
    answers.push(
      await send("GET", base, { token }),
      await send("PUT", `${base}/update`, { token, body: { name: "Budi", password } }),
      await send("PUT", `${base}/update`, { token, body: { age: password } }),
      await send("POST", `${base}/avatar`, { token, raw: form }),
    );
  }
  answers.push(await send("POST", "/api/auth/logout", { token }));

  for (const { text } of answers) {
    expect(text).not.toContain(password);
    expect(text).not.toMatch(/\$2[aby]\$/);
    expect(text).not.toMatch(/"[^"]*(password|hash)[^"]*"\s*:/i);
  }
});
