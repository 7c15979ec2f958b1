import { createRoute, z } from "@hono/zod-openapi";
import { readUpload } from "../../../shared/files/upload.ts";
import { appOk, body } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { callerAddress } from "../../../shared/http/caller.ts";
import { registerByPhone } from "../accounts.ts";
import { AVATAR_UPLOAD, replaceAvatar } from "../avatars.ts";
import { getProfile, updateProfile } from "../profile.ts";
import {
  AppRegisterBody,
  AppSignInBody,
  ProfileChanges,
  ProfileRow,
  ProfileShape,
  SignedInShape,
} from "../schemas.ts";
import { signIn } from "../signin.ts";
import { inContractWords } from "./edge.ts";

const tags = ["identity"];

/** The mobile app's paths: accounts by phone, and the profile under its two names. */
export const appRoutes = createApi();

appRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/register",
    tags,
    summary: "Register with a phone number",
    request: { body: body(AppRegisterBody) },
    responses: appOk({ message: z.string(), userId: z.number() }),
  }),
  async (c) => {
    const input = { ...c.req.valid("json"), address: callerAddress(c) };
    const { id } = await registerByPhone(c.var.ctx, input);
    return c.json({ success: true, message: "Registrasi berhasil!", userId: id } as const, 200);
  },
  inContractWords,
);

appRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/login",
    tags,
    summary: "Sign in with a phone number (or an e-mail)",
    request: { body: body(AppSignInBody) },
    responses: appOk({ token: z.string(), user: SignedInShape }),
  }),
  async (c) => {
    const { phone, password } = c.req.valid("json");
    const { token, user } = await signIn(c.var.ctx, {
      identifier: phone,
      password,
      address: callerAddress(c),
      refusal: "Nomor HP atau sandi salah!",
    });
    return c.json({ success: true, token, user } as const, 200);
  },
  inContractWords,
);

for (const base of ["/api/profile", "/api/auth/profile"] as const) {
  appRoutes.openapi(
    createRoute({
      method: "get",
      path: base,
      tags,
      summary: "The signed-in user's profile",
      middleware: [access(null)] as const,
      responses: appOk({ data: ProfileShape }),
    }),
    async (c) => c.json({ success: true, data: await getProfile(c.var.ctx) } as const, 200),
  );

  appRoutes.openapi(
    createRoute({
      method: "put",
      path: `${base}/update`,
      tags,
      summary: "Change the profile's fields that are sent",
      middleware: [access(null)] as const,
      request: { body: body(ProfileChanges) },
      responses: appOk({ message: z.string(), data: ProfileRow }),
    }),
    async (c) => {
      const data = await updateProfile(c.var.ctx, c.req.valid("json"));
      return c.json({ success: true, message: "Profile berhasil diupdate", data } as const, 200);
    },
    inContractWords,
  );

  appRoutes.openapi(
    createRoute({
      method: "post",
      path: `${base}/avatar`,
      tags,
      summary: "Replace the profile picture (field `avatar`, JPEG or PNG, at most 5 MB)",
      middleware: [access(null)] as const,
      request: { body: avatarForm() },
      responses: appOk({ message: z.string(), data: z.object({ avatar_url: z.string() }) }),
    }),
    async (c) => {
      const upload = await readUpload(c.req.raw, AVATAR_UPLOAD);
      const avatar_url = await replaceAvatar(c.var.ctx, upload);
      return c.json(
        { success: true, message: "Avatar berhasil diupload", data: { avatar_url } } as const,
        200,
      );
    },
  );
}

/** Documented as plain OpenAPI: a zod schema would make the framework read the whole body before we bound it. */
function avatarForm() {
  const properties = { avatar: { type: "string" as const, format: "binary" } };
  return {
    content: {
      "multipart/form-data": {
        schema: { type: "object" as const, properties, required: ["avatar"] },
      },
    },
    required: true,
  };
}
