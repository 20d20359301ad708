import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import Embed from './embed/Embed.svelte';

const target = document.getElementById('app');
if (target) mount(location.pathname === '/embed/feed' ? Embed : App, { target });
