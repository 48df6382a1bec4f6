// The words of the page's language: one file for each, all with the same keys.

import { language } from './language.js';

export const { words } = await import(`./words/${language}.js`);
