package tidings;

import java.util.Map;

import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;

/**
 * The whitespace tokenizer of the analysis-common module, the one part of what the distribution
 * bundles and Maven Central lacks that Tidings uses.
 */
public final class Words extends Plugin implements AnalysisPlugin {
    @Override
    public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of("whitespace", (index, environment, name, settings) -> TokenizerFactory.newFactory(
            name, () -> new WhitespaceTokenizer(settings.getAsInt("max_token_length", 255))));
    }
}
