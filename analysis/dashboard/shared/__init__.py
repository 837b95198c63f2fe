"""What more than one page needs: settings, solved tariffs that visitors share, sentences, the chart of a day."""
