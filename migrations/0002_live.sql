CREATE TABLE "live_agencies" (
	"id" bigint PRIMARY KEY NOT NULL,
	"user_id" bigint NOT NULL,
	"family_name" text NOT NULL,
	"region" text NOT NULL,
	"phone" text NOT NULL,
	"email" text,
	"address" text,
	"logo_url" text,
	"sealed_id_number" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"approved_at" timestamp with time zone,
	"decided_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_agencies_status_known" CHECK ("live_agencies"."status" in ('pending', 'approved', 'rejected')),
	CONSTRAINT "live_agencies_id_digits" CHECK ("live_agencies"."id" between 100000 and 9999999)
);
--> statement-breakpoint
CREATE TABLE "live_host_applications" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "live_host_applications_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"host_id" bigint NOT NULL,
	"agency_id" bigint NOT NULL,
	"name" text NOT NULL,
	"gender" text NOT NULL,
	"sealed_id_number" text,
	"status" text DEFAULT 'pending' NOT NULL,
	"approved_at" timestamp with time zone,
	"decided_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"end_reason" text,
	"income_before" bigint DEFAULT 0 NOT NULL,
	"income_until_end" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_host_applications_status_known" CHECK ("live_host_applications"."status" in ('pending', 'approved', 'rejected')),
	CONSTRAINT "live_host_applications_approval" CHECK (("live_host_applications"."status" = 'approved') = ("live_host_applications"."approved_at" is not null)),
	CONSTRAINT "live_host_applications_end_known" CHECK ("live_host_applications"."end_reason" in ('left', 'removed')),
	CONSTRAINT "live_host_applications_end_told" CHECK (("live_host_applications"."ended_at" is null) = ("live_host_applications"."end_reason" is null))
);
--> statement-breakpoint
CREATE TABLE "live_salary_requests" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "live_salary_requests_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"host_id" bigint NOT NULL,
	"agency_id" bigint NOT NULL,
	"iso_year" integer NOT NULL,
	"week_number" integer NOT NULL,
	"salary_amount" bigint NOT NULL,
	"total_lives" integer NOT NULL,
	"total_minutes" integer NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"approved_at" timestamp with time zone,
	"decided_at" timestamp with time zone,
	"ledger_transfer_id" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_salary_requests_status_known" CHECK ("live_salary_requests"."status" in ('pending', 'approved', 'rejected')),
	CONSTRAINT "live_salary_requests_amount" CHECK ("live_salary_requests"."salary_amount" between 1 and 1000000000),
	CONSTRAINT "live_salary_requests_week" CHECK ("live_salary_requests"."week_number" between 1 and 53),
	CONSTRAINT "live_salary_requests_paid" CHECK (("live_salary_requests"."status" = 'approved') = ("live_salary_requests"."ledger_transfer_id" is not null))
);
--> statement-breakpoint
CREATE TABLE "live_coin_packages" (
	"package_id" integer NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"method" text NOT NULL,
	"coins" bigint NOT NULL,
	"price_idr" bigint NOT NULL,
	"valid_from" timestamp with time zone NOT NULL,
	CONSTRAINT "live_coin_packages_pkey" PRIMARY KEY("package_id","version"),
	CONSTRAINT "live_coin_packages_method_known" CHECK ("live_coin_packages"."method" in ('bank', 'ewallet')),
	CONSTRAINT "live_coin_packages_coins_bounded" CHECK ("live_coin_packages"."coins" between 1 and 1000000000),
	CONSTRAINT "live_coin_packages_price_bounded" CHECK ("live_coin_packages"."price_idr" between 1000 and 1000000000)
);
--> statement-breakpoint
CREATE TABLE "live_coin_purchases" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" bigint NOT NULL,
	"order_id" text NOT NULL,
	"intent_id" uuid NOT NULL,
	"package_id" integer NOT NULL,
	"package_version" integer NOT NULL,
	"coins" bigint NOT NULL,
	"price_idr" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_coin_purchases_order_key" UNIQUE("order_id"),
	CONSTRAINT "live_coin_purchases_intent_key" UNIQUE("intent_id"),
	CONSTRAINT "live_coin_purchases_coins_positive" CHECK ("live_coin_purchases"."coins" > 0)
);
--> statement-breakpoint
CREATE TABLE "live_fan_days" (
	"host_id" bigint NOT NULL,
	"day" date NOT NULL,
	"sender_id" bigint NOT NULL,
	"coins" bigint NOT NULL,
	CONSTRAINT "live_fan_days_pkey" PRIMARY KEY("host_id","day","sender_id")
);
--> statement-breakpoint
CREATE TABLE "live_fan_hours" (
	"host_id" bigint NOT NULL,
	"hour" timestamp with time zone NOT NULL,
	"sender_id" bigint NOT NULL,
	"coins" bigint NOT NULL,
	CONSTRAINT "live_fan_hours_pkey" PRIMARY KEY("host_id","hour","sender_id")
);
--> statement-breakpoint
CREATE TABLE "live_fan_totals" (
	"host_id" bigint NOT NULL,
	"sender_id" bigint NOT NULL,
	"coins" bigint NOT NULL,
	"week_coins" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "live_fan_totals_pkey" PRIMARY KEY("host_id","sender_id"),
	CONSTRAINT "live_fan_totals_week_bounded" CHECK ("live_fan_totals"."week_coins" between 0 and "live_fan_totals"."coins")
);
--> statement-breakpoint
CREATE TABLE "live_fan_week_heads" (
	"host_id" bigint PRIMARY KEY NOT NULL,
	"day" date NOT NULL
);
--> statement-breakpoint
CREATE TABLE "live_gift_catalogue" (
	"scene" text NOT NULL,
	"gift_id" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"name" text NOT NULL,
	"category" text NOT NULL,
	"price" bigint NOT NULL,
	"host_percent" integer NOT NULL,
	"is_offered" boolean DEFAULT true NOT NULL,
	"valid_from" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_gift_catalogue_pkey" PRIMARY KEY("scene","gift_id","version"),
	CONSTRAINT "live_gift_catalogue_scene_known" CHECK ("live_gift_catalogue"."scene" in ('live', 'party')),
	CONSTRAINT "live_gift_catalogue_price_bounded" CHECK ("live_gift_catalogue"."price" between 1 and 1000000000),
	CONSTRAINT "live_gift_catalogue_percent_bounded" CHECK ("live_gift_catalogue"."host_percent" between 0 and 100)
);
--> statement-breakpoint
CREATE TABLE "live_gift_totals" (
	"user_id" bigint PRIMARY KEY NOT NULL,
	"spent" bigint DEFAULT 0 NOT NULL,
	"received" bigint DEFAULT 0 NOT NULL,
	"income" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "live_gifts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "live_gifts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"sender_id" bigint NOT NULL,
	"receiver_id" bigint NOT NULL,
	"scene" text NOT NULL,
	"gift_id" text NOT NULL,
	"gift_name" text NOT NULL,
	"category" text NOT NULL,
	"coin_value" bigint NOT NULL,
	"quantity" integer NOT NULL,
	"income" bigint NOT NULL,
	"host_percent" integer NOT NULL,
	"room_id" text,
	"session_id" bigint,
	"key" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "live_gifts_sender_key" UNIQUE("sender_id","key"),
	CONSTRAINT "live_gifts_scene_known" CHECK ("live_gifts"."scene" in ('live', 'party')),
	CONSTRAINT "live_gifts_not_to_oneself" CHECK ("live_gifts"."sender_id" <> "live_gifts"."receiver_id"),
	CONSTRAINT "live_gifts_quantity_bounded" CHECK ("live_gifts"."quantity" between 1 and 999),
	CONSTRAINT "live_gifts_income_bounded" CHECK ("live_gifts"."income" between 0 and "live_gifts"."coin_value" * "live_gifts"."quantity")
);
--> statement-breakpoint
CREATE TABLE "live_host_days" (
	"host_id" bigint NOT NULL,
	"day" date NOT NULL,
	"category" text NOT NULL,
	"gifts" bigint NOT NULL,
	"coins" bigint NOT NULL,
	"income" bigint NOT NULL,
	CONSTRAINT "live_host_days_pkey" PRIMARY KEY("host_id","day","category")
);
--> statement-breakpoint
CREATE TABLE "live_host_hours" (
	"hour" timestamp with time zone NOT NULL,
	"host_id" bigint NOT NULL,
	"coins" bigint NOT NULL,
	CONSTRAINT "live_host_hours_pkey" PRIMARY KEY("hour","host_id")
);
--> statement-breakpoint
CREATE TABLE "live_session_gifts" (
	"session_id" bigint PRIMARY KEY NOT NULL,
	"gifts" bigint NOT NULL,
	"coins" bigint NOT NULL,
	"income" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "live_session_viewers" (
	"session_id" bigint NOT NULL,
	"user_id" bigint NOT NULL,
	CONSTRAINT "live_session_viewers_pkey" PRIMARY KEY("session_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "live_sessions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "live_sessions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"host_id" bigint NOT NULL,
	"room_id" text NOT NULL,
	"start_time" timestamp with time zone DEFAULT now() NOT NULL,
	"proven_at" timestamp with time zone DEFAULT now() NOT NULL,
	"proven_ms" bigint DEFAULT 0 NOT NULL,
	"end_time" timestamp with time zone,
	"end_reason" text,
	"viewers_now" integer DEFAULT 0 NOT NULL,
	"viewers_peak" integer DEFAULT 0 NOT NULL,
	"duration_seconds" integer DEFAULT 0 NOT NULL,
	"total_income" bigint DEFAULT 0 NOT NULL,
	"total_viewers" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_sessions_end_known" CHECK ("live_sessions"."end_reason" in ('request', 'new_start', 'host_gone', 'lapsed', 'max_age')),
	CONSTRAINT "live_sessions_end_told" CHECK (("live_sessions"."end_time" is null) = ("live_sessions"."end_reason" is null)),
	CONSTRAINT "live_sessions_times" CHECK ("live_sessions"."proven_at" >= "live_sessions"."start_time" and "live_sessions"."end_time" >= "live_sessions"."proven_at"),
	CONSTRAINT "live_sessions_totals" CHECK ("live_sessions"."duration_seconds" >= 0 and "live_sessions"."proven_ms" >= 0 and "live_sessions"."total_income" >= 0 and "live_sessions"."total_viewers" >= 0 and "live_sessions"."viewers_now" >= 0)
);
--> statement-breakpoint
CREATE TABLE "live_conversation_members" (
	"user_id" bigint NOT NULL,
	"peer_id" bigint NOT NULL,
	"conversation_id" bigint NOT NULL,
	"last_message_id" bigint NOT NULL,
	"last_message_at" timestamp with time zone NOT NULL,
	"unread" integer DEFAULT 0 NOT NULL,
	"read_up_to" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "live_conversation_members_pkey" PRIMARY KEY("user_id","peer_id"),
	CONSTRAINT "live_conversation_members_unread" CHECK ("live_conversation_members"."unread" >= 0)
);
--> statement-breakpoint
CREATE TABLE "live_conversations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "live_conversations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"low_user_id" bigint NOT NULL,
	"high_user_id" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_conversations_pair_key" UNIQUE("low_user_id","high_user_id"),
	CONSTRAINT "live_conversations_pair" CHECK ("live_conversations"."low_user_id" < "live_conversations"."high_user_id")
);
--> statement-breakpoint
CREATE TABLE "live_follows" (
	"follower_id" bigint NOT NULL,
	"followed_id" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_follows_pkey" PRIMARY KEY("follower_id","followed_id"),
	CONSTRAINT "live_follows_another" CHECK ("live_follows"."follower_id" <> "live_follows"."followed_id")
);
--> statement-breakpoint
CREATE TABLE "live_private_messages" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "live_private_messages_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"conversation_id" bigint NOT NULL,
	"sender_id" bigint NOT NULL,
	"content" text NOT NULL,
	"via" text NOT NULL,
	"twin_seen" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_private_messages_via_known" CHECK ("live_private_messages"."via" in ('rest', 'socket'))
);
--> statement-breakpoint
ALTER TABLE "live_agencies" ADD CONSTRAINT "live_agencies_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_agencies" ADD CONSTRAINT "live_agencies_decided_by_identity_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_host_applications" ADD CONSTRAINT "live_host_applications_host_id_identity_users_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_host_applications" ADD CONSTRAINT "live_host_applications_agency_id_live_agencies_id_fk" FOREIGN KEY ("agency_id") REFERENCES "public"."live_agencies"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_salary_requests" ADD CONSTRAINT "live_salary_requests_host_id_identity_users_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_salary_requests" ADD CONSTRAINT "live_salary_requests_agency_id_live_agencies_id_fk" FOREIGN KEY ("agency_id") REFERENCES "public"."live_agencies"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_coin_purchases" ADD CONSTRAINT "live_coin_purchases_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_gifts" ADD CONSTRAINT "live_gifts_sender_id_identity_users_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_gifts" ADD CONSTRAINT "live_gifts_receiver_id_identity_users_id_fk" FOREIGN KEY ("receiver_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_session_viewers" ADD CONSTRAINT "live_session_viewers_session_id_live_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."live_sessions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_sessions" ADD CONSTRAINT "live_sessions_host_id_identity_users_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_conversation_members" ADD CONSTRAINT "live_conversation_members_user_id_identity_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_conversation_members" ADD CONSTRAINT "live_conversation_members_peer_id_identity_users_id_fk" FOREIGN KEY ("peer_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_conversation_members" ADD CONSTRAINT "live_conversation_members_conversation_id_live_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."live_conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_conversation_members" ADD CONSTRAINT "live_conversation_members_last_message_id_live_private_messages_id_fk" FOREIGN KEY ("last_message_id") REFERENCES "public"."live_private_messages"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_conversations" ADD CONSTRAINT "live_conversations_low_user_id_identity_users_id_fk" FOREIGN KEY ("low_user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_conversations" ADD CONSTRAINT "live_conversations_high_user_id_identity_users_id_fk" FOREIGN KEY ("high_user_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_follows" ADD CONSTRAINT "live_follows_follower_id_identity_users_id_fk" FOREIGN KEY ("follower_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_follows" ADD CONSTRAINT "live_follows_followed_id_identity_users_id_fk" FOREIGN KEY ("followed_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_private_messages" ADD CONSTRAINT "live_private_messages_conversation_id_live_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."live_conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "live_private_messages" ADD CONSTRAINT "live_private_messages_sender_id_identity_users_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."identity_users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "live_agencies_owner_key" ON "live_agencies" USING btree ("user_id") WHERE "live_agencies"."status" <> 'rejected';--> statement-breakpoint
CREATE INDEX "live_agencies_decider_idx" ON "live_agencies" USING btree ("decided_by");--> statement-breakpoint
CREATE UNIQUE INDEX "live_host_applications_open_key" ON "live_host_applications" USING btree ("host_id") WHERE "live_host_applications"."status" in ('pending', 'approved') and "live_host_applications"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "live_host_applications_agency_idx" ON "live_host_applications" USING btree ("agency_id","status","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "live_host_applications_host_idx" ON "live_host_applications" USING btree ("host_id");--> statement-breakpoint
CREATE UNIQUE INDEX "live_salary_requests_week_key" ON "live_salary_requests" USING btree ("host_id","iso_year","week_number") WHERE "live_salary_requests"."status" <> 'rejected';--> statement-breakpoint
CREATE INDEX "live_salary_requests_host_idx" ON "live_salary_requests" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "live_salary_requests_agency_idx" ON "live_salary_requests" USING btree ("agency_id","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "live_coin_purchases_user_idx" ON "live_coin_purchases" USING btree ("user_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "live_fan_hours_hour_idx" ON "live_fan_hours" USING btree ("hour");--> statement-breakpoint
CREATE INDEX "live_fan_totals_coins_idx" ON "live_fan_totals" USING btree ("host_id","coins" DESC NULLS FIRST,"sender_id");--> statement-breakpoint
CREATE INDEX "live_fan_totals_week_idx" ON "live_fan_totals" USING btree ("host_id","week_coins" DESC NULLS FIRST,"sender_id") WHERE "live_fan_totals"."week_coins" > 0;--> statement-breakpoint
CREATE INDEX "live_gift_totals_received_idx" ON "live_gift_totals" USING btree ("received" DESC NULLS FIRST,"user_id") WHERE "live_gift_totals"."received" > 0;--> statement-breakpoint
CREATE INDEX "live_gifts_receiver_idx" ON "live_gifts" USING btree ("receiver_id","id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "live_host_days_day_idx" ON "live_host_days" USING btree ("day");--> statement-breakpoint
CREATE UNIQUE INDEX "live_sessions_open_key" ON "live_sessions" USING btree ("host_id") WHERE "live_sessions"."end_time" is null;--> statement-breakpoint
CREATE INDEX "live_sessions_live_idx" ON "live_sessions" USING btree ("start_time" DESC NULLS LAST) WHERE "live_sessions"."end_time" is null;--> statement-breakpoint
CREATE INDEX "live_sessions_host_idx" ON "live_sessions" USING btree ("host_id","start_time" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "live_conversation_members_recent_idx" ON "live_conversation_members" USING btree ("user_id","last_message_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "live_conversation_members_peer_idx" ON "live_conversation_members" USING btree ("peer_id");--> statement-breakpoint
CREATE INDEX "live_conversation_members_conversation_idx" ON "live_conversation_members" USING btree ("conversation_id");--> statement-breakpoint
CREATE INDEX "live_conversation_members_last_idx" ON "live_conversation_members" USING btree ("last_message_id");--> statement-breakpoint
CREATE INDEX "live_conversations_high_idx" ON "live_conversations" USING btree ("high_user_id");--> statement-breakpoint
CREATE INDEX "live_follows_followed_idx" ON "live_follows" USING btree ("followed_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "live_follows_follower_idx" ON "live_follows" USING btree ("follower_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "live_private_messages_conversation_idx" ON "live_private_messages" USING btree ("conversation_id","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "live_private_messages_sender_idx" ON "live_private_messages" USING btree ("sender_id");