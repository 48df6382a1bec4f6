/*
 * Each version of the page has URLs of its own (static/<hash>/…). After an update of the server the old ones
 * answer 404: that is how an open page learns that it is outdated.
 */

import { words } from '../lib/words.js';
import { Failure, unreachable } from './failure.js';

/** @returns {Promise<boolean>} whether the server has replaced this version of the page; false if it cannot be reached */
export async function isOutdated() {
  try {
    return (await fetch(import.meta.url, { method: 'HEAD', cache: 'no-store' })).status === 404;
  } catch {
    return false;
  }
}

/** Imports a module that is rarely needed. @param {() => Promise<T>} load @returns {Promise<T>} or throws a Failure @template T */
export async function loadPart(load) {
  try {
    return await load();
  } catch {
    throw (await isOutdated()) ? new Failure(words.outdatedPart, { code: 'page_outdated' }) : unreachable();
  }
}
