export { instagramJob } from "./job.ts";
export { instagramMails } from "./mails.ts";
export { type DraftInput, deletePost, draftPost } from "./posts.ts";
export { renewInstagramTokens } from "./renewal.ts";
