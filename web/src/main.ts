import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import Embed from './embed/Embed.svelte';

const target = document.getElementById('app');
if (target) mount(location.pathname === '/embed/feed' ? Embed : App, { target });

// Without a network, an installed page shows what was read last: see public/sw.js.
if (import.meta.env.PROD && location.pathname !== '/embed/feed')
  addEventListener('load', () => void navigator.serviceWorker?.register('/sw.js').catch(() => {}));
