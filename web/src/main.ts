import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import Embed from './embed/Embed.svelte';

const target = document.getElementById('app');
if (target) mount(location.pathname === '/embed/feed' ? Embed : App, { target });

// Without a network, an installed page shows what was read last: see public/sw.js. The page
// may have loaded before this was read.
if (import.meta.env.PROD && location.pathname !== '/embed/feed') {
  const register = () => void navigator.serviceWorker?.register('/sw.js').catch(() => {});
  if (document.readyState === 'complete') register();
  else addEventListener('load', register);
}
