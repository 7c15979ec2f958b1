/** Loads the whole Worker, which takes seconds, before the time of the first test that asks it begins. */
import "../index.ts";
import "../api.ts";
import "../background.ts";
