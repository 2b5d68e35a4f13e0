/** Installs what is missing, as every entry program does before its own work, and nothing else. */
import { prepare } from './bootstrap.mjs';

await prepare({ build: false });
