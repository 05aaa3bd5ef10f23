// The one place that knows where the vendored view libraries lie.
import { h, render, Fragment } from '../../vendor/preact.js';
import htm from '../../vendor/htm.js';

export { h, render, Fragment };
export { useState, useEffect, useLayoutEffect, useMemo, useRef, useCallback } from '../../vendor/preact-hooks.js';
export { useSignal, useComputed, useSignalEffect } from '../../vendor/signals.js';

export const html = htm.bind(h);
