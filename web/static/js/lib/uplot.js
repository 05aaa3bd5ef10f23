export { default as uPlot } from '../../vendor/uplot.js';
