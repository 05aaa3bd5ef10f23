export { h, render, Fragment } from 'preact';
export { useState, useEffect, useLayoutEffect, useMemo, useRef, useCallback } from 'preact/hooks';
export { useSignal, useComputed, useSignalEffect } from '@preact/signals';
export const html: (strings: TemplateStringsArray, ...values: any[]) => any;
