export { icons } from '../../vendor/lucide.js';
