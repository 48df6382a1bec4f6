// How much a part of the input weighs, as people read it, and from where on it weighs anything.

import { number, points } from './numbers.js';
import { kindOf, numberOf } from './predictions.js';
import { words } from './words.js';

const FAINT = 0.005; // half a percentage point, or half a hundredth of the model's own number

const isProbability = (reply) => kindOf(reply) === 'probability';

/** @param {object} reply the explained prediction @returns {number} a smaller change nobody would call one */
export const faint = (reply) => (isProbability(reply) ? FAINT : FAINT * Math.abs(numberOf(reply))) || FAINT;

/** A weight without its sign: percentage points, or the model's own number. */
export const size = (reply, weight) => (isProbability(reply) ? points(weight) : number(Math.abs(weight)));

/** The same in a sentence. */
export const change = (reply, weight) => (isProbability(reply) ? words.why.points(points(weight)) : size(reply, weight));
