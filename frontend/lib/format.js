// Numbers as people read them. Probabilities never round up to a certainty the model does not have.

import { language } from './language.js';

const locale = language;
const short = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 });
const long = new Intl.NumberFormat(locale);
const hundredths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const percentage = new Intl.NumberFormat(locale, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Four significant digits, but never fewer than the whole part has. */
export const number = (n) => (Math.abs(n) < 1000 ? short : long).format(n);
export const milliseconds = (ms) => `${number(ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms))} ms`;

/** A difference of two probabilities, without its sign: 0.0512 -> "5.1". */
export const points = (difference) => hundredths.format(Math.abs(difference) * 100);

/** 0.98765 -> "98.8%"; values between 0 and 0.1% read "<0.1%", those between 99.9% and 1 ">99.9%". */
export function percent(probability) {
  if (probability > 0.999 && probability < 1) return `>${percentage.format(0.999)}`;
  if (probability > 0 && probability < 0.001) return `<${percentage.format(0.001)}`;
  return percentage.format(probability);
}

/** A size in bytes, in the unit that fits. */
export function bytes(size) {
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${number(Math.round(size / 1024))} KiB`;
  return `${number(Math.round(size / 1024 / 102.4) / 10)} MiB`;
}
